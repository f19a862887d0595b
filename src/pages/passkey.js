// WebAuthn for the forms with `data-webauthn`, which are hidden without it. A form gets its options from
// `data-options`, and sends the answer of the browser in its field `credential`.
{
  /** A challenge is good for five minutes, and browsers do not end a conditional request. */
  const RENEW_AFTER = 4 * 60_000
  /** The page itself is good for an hour. */
  const MOST_ROUNDS = 15

  const decode = (text) =>
    Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (one) => one.charCodeAt(0))
  const encode = (bytes) =>
    btoa(String.fromCharCode(...new Uint8Array(bytes)))
      .replaceAll('+', '-')
      .replaceAll('/', '_')
      .replaceAll('=', '')

  /** Options as `PublicKeyCredential.parseCreationOptionsFromJSON` reads them, which older browsers do not have. */
  const read = ({ challenge, user, allowCredentials, excludeCredentials, ...more }) => {
    const keys = (list) => list?.map((one) => ({ ...one, id: decode(one.id) }))
    return {
      ...more,
      challenge: decode(challenge),
      ...(user && { user: { ...user, id: decode(user.id) } }),
      allowCredentials: keys(allowCredentials),
      excludeCredentials: keys(excludeCredentials),
    }
  }

  /** The credential as `toJSON` writes it, which some password managers do not have. */
  const write = (credential) => {
    const { id, rawId, type, authenticatorAttachment, response } = credential
    const fields = ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle']
    const sent = fields.filter((field) => response[field]).map((field) => [field, encode(response[field])])
    return {
      id,
      rawId: encode(rawId),
      type,
      ...(authenticatorAttachment && { authenticatorAttachment }),
      response: {
        ...Object.fromEntries(sent),
        ...(response.getTransports && { transports: response.getTransports() }),
      },
      clientExtensionResults: credential.getClientExtensionResults(),
    }
  }

  /** Asks the browser for a credential, and sends the form. */
  async function run(form, more) {
    const { webauthn, options } = form.dataset
    const answer = await fetch(options, {
      method: 'POST',
      headers: { accept: 'application/json' },
      body: new URLSearchParams(new FormData(form)),
    })
    // A redirect leads to the page to log in: the session is over.
    if (!answer.ok || answer.redirected) throw answer
    const { challenge_id, options: asked } = await answer.json()
    const credential = await navigator.credentials[webauthn]({ publicKey: read(asked), ...more })
    const { elements } = form
    elements.credential.value = JSON.stringify(write(credential))
    if (elements.challenge_id) elements.challenge_id.value = challenge_id
    // Only the form to sign in has this field: the box of the form above it counts here too.
    if (elements.remember && document.getElementById('remember')?.checked) elements.remember.value = 'on'
    form.submit()
  }

  /** The conditional request, in which the browser offers passkeys in the field for the name. */
  let offer = { stop() {}, over: Promise.resolve() }

  function startOffer(form) {
    const former = offer
    let isStopped = false
    let controller = new AbortController()
    const stop = () => {
      isStopped = true
      controller.abort()
    }
    /** @returns true when the challenge has become too old */
    const round = async () => {
      let isOld = false
      controller = new AbortController()
      const { signal } = controller
      const timer = setTimeout(() => {
        isOld = true
        controller.abort()
      }, RENEW_AFTER)
      try {
        await run(form, { mediation: 'conditional', signal })
      } catch {
        // There is no second try after a failure. The button still works.
      }
      clearTimeout(timer)
      return isOld
    }
    const rounds = async () => {
      former.stop()
      await former.over
      if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return
      for (let left = MOST_ROUNDS; left > 0 && !isStopped && (await round()); left--);
    }
    offer = { stop, over: rounds() }
  }

  async function press(form, button) {
    const says = form.querySelector('[role=alert]')
    says.hidden = true
    button.disabled = true
    offer.stop()
    // A browser refuses a request while another one is pending.
    await offer.over
    try {
      await run(form, {})
    } catch (error) {
      // The page is too old to go on. What it shows when it is loaded again tells why.
      if (error instanceof Response && error.status < 500) return location.reload()
      const { cancelled, exists, failed } = form.dataset
      const texts = { NotAllowedError: cancelled, AbortError: cancelled, InvalidStateError: exists }
      says.textContent = texts[error.name] ?? failed
      says.hidden = false
      button.disabled = false
      if ('offer' in form.dataset) startOffer(form)
    }
  }

  const forms = document.querySelectorAll('[data-webauthn]')
  const isSupported = 'PublicKeyCredential' in window
  for (const form of forms) {
    const button = form.querySelector('button')
    if (!isSupported) continue
    form.hidden = false
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      if (!button.disabled) press(form, button)
    })
    if ('offer' in form.dataset) startOffer(form)
    // A page from the cache of the back button has a request that the browser has ended.
    addEventListener('pageshow', ({ persisted }) => {
      if (!persisted) return
      button.disabled = false
      if ('offer' in form.dataset) startOffer(form)
    })
  }
  for (const one of document.querySelectorAll('[data-unsupported]')) one.hidden = isSupported

  // Tells the passkey provider which passkeys exist and under which name, where the browser can (WebAuthn level 3).
  for (const { dataset } of document.querySelectorAll('[data-signals]'))
    for (const [signal, details] of JSON.parse(dataset.signals))
      if (isSupported) PublicKeyCredential[signal]?.(details).catch(() => {})
}
