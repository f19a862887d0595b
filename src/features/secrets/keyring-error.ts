/** Thrown when the stored keys do not fit this configuration. `message` tells the operator what to do. */
export class KeyringError extends Error {
  override readonly name = 'KeyringError'
}

/** Makes the error for a stored key that no secret of this process opens. */
export const unopenable = (): KeyringError =>
  new KeyringError(
    'This SECRET_KEY does not open the signing keys in the database. Start with the former SECRET_KEY, or set it as SECRET_KEY_PREVIOUS beside the new one. If it is lost, see “The secret key” in the chapter “Security” of the guide.',
  )
