"""The live page: server, session and the page itself."""
