// Walking on by itself, at the speed that was chosen; slower where a person asked for less motion.

export class Player {
  constructor(step) {
    this.step = step
    this.timer = null
  }

  toggle(speed, button) {
    if (this.timer) return this.stop()
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches
    this.button = button
    button.textContent = "⏸ Pause"
    this.timer = setInterval(() => this.step() || this.stop(), 1000 / (calm ? Math.min(1, speed) : speed))
  }

  stop() {
    clearInterval(this.timer)
    this.timer = null
    if (this.button) this.button.textContent = "▶ Play"
  }
}
