// One step in full: what was done and by whom in the middle; the reason, the baseline and the state beside it.

import { el, fill, GLYPHS, number } from "./dom.js"

const ASPECTS = {
  credential: "Credentials", principal: "Principals", agent: "Agents", host: "Hosts acted from",
  target: "Targets reached", path: "Paths opened",
}
const STATE_SHOWN = 4

const heading = (text) => el("h3", {}, text)
const line = (text, name) => el("div", { class: name ?? "line" }, text)

export function waiting(node, step, kind) {
  node.removeAttribute("data-step")
  fill(node, el("div", { class: "what" }, kind), line(`Step ${number(step)} is on its way …`, "quiet"))
}

export function card(node, told, store) {
  node.setAttribute("data-step", told.step)
  fill(
    node,
    el("div", { class: "kind" }, told.kind),
    el("div", { class: "what" }, told.what, told.target ? el("span", { class: "arrow" }, "  →  ") : "", told.target),
    el(
      "dl", { class: "facts" },
      told.facts.map(([label, value]) => el("div", {}, el("dt", {}, label), el("dd", {}, value)))
    ),
    told.error ? [heading("Error"), el("pre", { class: "payload error", tabindex: 0 }, told.error)] : null,
    told.approval
      ? el(
          "section", { class: `approval ${told.approval.state}` },
          heading("Approval"), line(told.approval.said, "said"), told.approval.lines.map((text) => line(text))
        )
      : null,
    el("div", { class: "payloads" }, payload("Arguments", "arguments", told, store), payload("Result", "result", told, store)),
    told.arguments || told.result ? null : line("This step carries no arguments and no result.", "quiet"),
    el("section", {}, heading("Source"), line(told.origin.said, "quiet"), told.origin.lines.map((text) => line(text, "mono")))
  )
}

function payload(label, field, told, store) {
  const given = store.whole(told.step, field) ?? told[field]
  if (!given) return null
  const more = given.cut
    ? el("button", { type: "button", class: "small", on: { click: showAll } }, `Show all ${number(given.characters)} characters`)
    : null
  async function showAll() {
    more.disabled = true
    more.textContent = "Fetching …"
    try {
      await store.askWhole(told.step, field)
    } catch (error) {
      more.disabled = false
      more.textContent = `${error.message} Try again`
    }
  }
  return el(
    "section", { class: "side" }, heading(label), more, el("pre", { class: "payload", tabindex: 0, "aria-label": label }, given.text)
  )
}

export function why(node, told, state, leaving) {
  fill(
    node,
    el(
      "section", { class: "reason" }, heading("The reason"),
      told.reasons.length ? told.reasons.map((finding) => reason(finding, leaving)) : line("No finding points at this step.", "quiet")
    ),
    el("section", {}, heading("The baseline"), told.baseline.map((text) => line(text))),
    state ? el("section", { class: "state" }, heading("State after this step"), stateOf(state, told)) : null
  )
}

function reason(finding, leaving) {
  const link = el("a", { href: `case?case=${encodeURIComponent(finding.case)}`, on: { click: leaving } }, "Open the case")
  return el(
    "div", { class: `finding ${finding.severity}` },
    el("div", { class: "claim" }, el("span", { class: "severity" }, `${GLYPHS[finding.severity] ?? "·"} ${finding.severity}`), " ", finding.title),
    el("dl", { class: "pair" }, el("div", {}, el("dt", {}, "Observed"), el("dd", {}, finding.observed)),
      el("div", {}, el("dt", {}, "Expected"), el("dd", {}, finding.expected))),
    line(finding.said, "quiet"), link
  )
}

function stateOf(state, told) {
  const rows = []
  for (const [aspect, label] of Object.entries(ASPECTS)) {
    const { count, latest, added } = state[aspect]
    if (!count) continue
    const shown = latest.slice(-Math.max(STATE_SHOWN, added)).reverse()
    const rest = count - shown.length
    rows.push(
      el("dt", {}, `${label} `, el("b", {}, number(count))),
      el(
        "dd", {},
        shown.map(([value, how, step]) =>
          step === told.step
            ? el("div", { class: "new" }, `+ ${value}`, el("span", { class: "quiet" }, ` ${how} by this step`))
            : el("div", {}, value, el("span", { class: "quiet" }, ` ${how}, step ${number(step)}`))
        ),
        rest > 0 ? line(`and ${number(rest)} before`, "quiet") : null
      )
    )
  }
  if (!told.changes.length) rows.unshift(el("dd", { class: "quiet" }, "This step changed nothing."))
  return el("dl", {}, rows)
}

export function record(node, step, told) {
  node.setAttribute("data-step", step)
  fill(
    node,
    el("div", { class: "kind" }, "the stored record"),
    line(
      `Step ${number(step)} alone; ${number(told.empty.length)} empty columns are hidden: ${told.empty.join(", ")}.`, "quiet"
    ),
    el("dl", { class: "raw" }, told.fields.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]))
  )
}
