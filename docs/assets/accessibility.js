// What the theme leaves to a screen reader's guess: names that tell its dialogs, paths, menus and toolbars apart, and
// wide tables that the keyboard can reach and scroll.
document.querySelector('[data-md-component="search"][role="dialog"]')?.setAttribute("aria-label", "Search")
document.querySelector("nav.md-path")?.setAttribute("aria-label", "Where this page stands")
document.querySelectorAll("nav.md-nav[aria-labelledby]").forEach((menu) => {
  const title = menu.querySelector(":scope > .md-nav__title")
  menu.removeAttribute("aria-labelledby")
  menu.setAttribute("aria-label", `Pages in ${title?.textContent.trim() || "this section"}`)
})
document.querySelectorAll(".md-typeset__scrollwrap").forEach((table) => table.scrollWidth > table.clientWidth && (table.tabIndex = 0))

function nameToolbars() {
  document.querySelectorAll(".md-code__nav:not([aria-label])").forEach((toolbar) => {
    toolbar.setAttribute("aria-label", `Code block ${[...document.querySelectorAll(".md-code__nav")].indexOf(toolbar) + 1}`)
  })
}
new MutationObserver(nameToolbars).observe(document.body, { childList: true, subtree: true })
nameToolbars()
