// The line to the server: messages in both directions, and back again when it breaks.

const FIRST_WAIT = 400;
const LONGEST_WAIT = 4000;
// A message of more would end the connection.
const MOST_BYTES = 63_000;

export class Line {
  /**
   * @param receive called with each message
   * @param changed called with true when the line stands, with false when it is lost
   */
  constructor(receive, changed) {
    this.receive = receive;
    this.changed = changed;
    this.wait = FIRST_WAIT;
    this.connect();
    // A laptop that wakes up does not wait out the pause.
    window.addEventListener("online", () => this.retry());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.retry();
    });
  }

  get open() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  /** Sends a message; says whether it could. */
  send(message) {
    const text = JSON.stringify(message);
    if (!this.open || new TextEncoder().encode(text).length > MOST_BYTES) return false;
    this.socket.send(text);
    return true;
  }

  connect() {
    clearTimeout(this.timer);
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/socket`);
    this.socket = socket;
    socket.addEventListener("message", ({ data }) => {
      if (socket === this.socket) this.receive(JSON.parse(data));
    });
    socket.addEventListener("open", () => {
      this.wait = FIRST_WAIT;
      this.changed(true);
    });
    socket.addEventListener("close", () => {
      if (socket !== this.socket) return;
      this.changed(false);
      this.timer = setTimeout(() => this.connect(), this.wait);
      this.wait = Math.min(2 * this.wait, LONGEST_WAIT);
    });
  }

  retry() {
    if (this.socket.readyState === WebSocket.CLOSED) this.connect();
  }
}
