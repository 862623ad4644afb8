"""The same work in PyTorch, JAX and onnxruntime beside ours: see benches/README.md."""

from peers.cli import main

if __name__ == "__main__":
    main()
