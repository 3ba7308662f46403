// Loads explain.js and catalogue.js when somebody first needs them, by script tags, so that it works from the file system
// too. Returns a promise; after it, `explain(text, catalogue)` names the errors in a text.
const explainLoaded = (() => {
  const root = new URL("..", document.currentScript.src)
  const load = (name) => new Promise((resolve, reject) =>
    document.head.append(Object.assign(document.createElement("script"), { src: new URL(`assets/${name}`, root), onload: resolve, onerror: reject })))
  let ready
  return () => (ready ??= Promise.all([load("catalogue.js"), load("explain.js")]))
})()
