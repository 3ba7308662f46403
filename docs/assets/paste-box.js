// The paste box: fills each <div class="paste-box"></div> with a field for an error text and names the page to read.
// The text stays in the browser.
(() => {
  const root = new URL("..", document.currentScript.src)
  const DELAY = 150

  function element(name, properties = {}, ...children) {
    const made = Object.assign(document.createElement(name), properties)
    made.append(...children)
    return made
  }

  function pageOf(match) {
    const file = location.protocol === "file:" ? "index.html" : ""
    return element("a", { href: new URL(match.url + file, root) }, match.title)
  }

  function answer(match) {
    const inputs = Object.entries(match.inputs).map(([name, value]) => `${name}=${value}`).join("\n")
    const shown = element("li", {}, pageOf(match), element("pre", {}, element("code", {}, match.evidence)))
    if (inputs) shown.append(element("pre", {}, element("code", {}, inputs)))
    return shown
  }

  async function show(text, result) {
    if (!text.trim()) return result.replaceChildren()
    try {
      await explainLoaded()
    } catch {
      return result.replaceChildren(element("p", {}, "The catalogue of errors could not be loaded. Reload the page, or look for your message in the list below."))
    }
    const matches = explain(text, catalogue)
    if (matches.length) result.replaceChildren(element("ol", {}, ...matches.map(answer)))
    else result.replaceChildren(element("p", {}, "No known migration error in this text. Paste the whole output, from Traceback to its last line."))
  }

  document.querySelectorAll(".paste-box").forEach((box, number) => {
    const id = `paste-box-${number}`
    const result = element("div", { className: "paste-box__result", role: "status" })
    const field = element("textarea", { id, rows: 6, spellcheck: false, autocomplete: "off" })
    let waiting
    field.addEventListener("input", () => {
      clearTimeout(waiting)
      waiting = setTimeout(() => show(field.value, result), DELAY)
    })
    box.append(element("label", { htmlFor: id }, "Paste the error, or the whole log. It stays in your browser."), field, result)
  })
})()
