// The URL as the memory of where one stands: it follows each step, and Back comes here again.

const URL_MS = 150

export class Place {
  // `told` gives the parameters of this moment; `back` is told which step the browser went back to.
  constructor(session, told, back) {
    this.session = session
    this.told = told
    this.back = back
    this.listen = () => this.popped()
    window.addEventListener("popstate", this.listen)
  }

  close() {
    clearTimeout(this.timer)
    window.removeEventListener("popstate", this.listen)
  }

  url() {
    return `${location.pathname}?${new URLSearchParams({ session: this.session, ...this.told() })}`
  }

  // A little later, so that a held key does not write it at every step.
  later() {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.write(), URL_MS)
  }

  write() {
    this.forget()
    if (this.written === this.url()) return
    this.written = this.url()
    history.replaceState(history.state, "", this.written)
  }

  // What was still to be written of the place that one leaves.
  settle() {
    if (this.timer) this.write()
  }

  push() {
    this.written = this.url()
    history.pushState(history.state, "", this.written)
  }

  forget() {
    clearTimeout(this.timer)
    this.timer = null
  }

  popped() {
    const asked = new URLSearchParams(location.search)
    if (asked.get("session") !== this.session) return
    this.forget()
    this.back(Number(asked.get("step")))
    this.forget()
    this.written = this.url()
  }
}
