"""What runs inside the page to time it: from the click to the first task after the frame that shows the card."""

from __future__ import annotations

from typing import Final

_FIND: Final = """
const shadows = [...document.querySelectorAll('*')].map(n => n.shadowRoot)
const root = shadows.find(r => r?.querySelector('.stepper')) ?? document
const card = root.querySelector('.card')
const frame = () => new Promise(requestAnimationFrame)
const painted = async step => { while (card.dataset.step !== String(step)) await frame(); await frame(); await task() }
const task = () => new Promise(done => {
  const c = new MessageChannel(); c.port1.onmessage = done; c.port2.postMessage(0)
})
const pause = ms => new Promise(done => setTimeout(done, ms))
"""
STEP: Final = (
    "async ([first, steps]) => {"
    + _FIND
    + """
const next = [...root.querySelectorAll('button')].find(b => b.textContent.startsWith('Next'))
const took = []
for (let n = 1; n <= steps; n++) {
  const from = performance.now(); next.click(); await painted(first + n)
  took.push(performance.now() - from); await pause(40)
}
return took }"""
)
JUMP: Final = (
    "async targets => {"
    + _FIND
    + """
const box = root.querySelector('input[type=number]')
const took = []
for (const step of targets) {
  const from = performance.now(); box.value = step
  box.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true, composed: true}))
  await painted(step); took.push(performance.now() - from); await pause(400)
}
return took }"""
)
CLICK: Final = (
    "async places => {"
    + _FIND
    + """
const ribbon = root.querySelector('canvas')
const took = []
for (const place of places) {
  const box = ribbon.getBoundingClientRect(), before = card.dataset.step
  const at = {clientX: box.left + 118 + (box.width - 118) * place, clientY: box.top + 25,
              bubbles: true, pointerId: 1, buttons: 1}
  ribbon.setPointerCapture = () => {}
  const from = performance.now(); ribbon.dispatchEvent(new PointerEvent('pointerdown', at))
  const to = ribbon.getAttribute('aria-valuenow')
  if (to !== before) await painted(to)
  took.push(performance.now() - from); await pause(400)
}
return took }"""
)
