{
  const tools = document.querySelector('[data-copied]')
  const [copy, print] = tools.querySelectorAll('button')
  const codes = [...document.querySelectorAll('.codes code')].map(({ textContent }) => textContent)
  copy.addEventListener('click', async () => {
    await navigator.clipboard.writeText(`${codes.join('\n')}\n`)
    document.querySelector('[role=status]').textContent = tools.dataset.copied
  })
  print.addEventListener('click', () => window.print())
  tools.hidden = false
}
