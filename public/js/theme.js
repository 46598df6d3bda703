// Before the page is drawn: light or dark, as chosen here or as the system says.
;(() => {
  const stored = localStorage.getItem('theme')
  const system = matchMedia('(prefers-color-scheme: dark)')
  const apply = () => {
    const chosen = localStorage.getItem('theme') ?? stored
    document.documentElement.dataset.bsTheme = chosen ?? (system.matches ? 'dark' : 'light')
  }
  apply()
  system.addEventListener('change', apply)
})()
