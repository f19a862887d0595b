import type { Saying } from '../../../../../pages/texts/text.ts'

/** The texts of the pages about second factors and passkeys, in one language. */
export interface FactorTexts {
  /** The page of a login that waits for a second factor. */
  second: {
    title: string
    /** The link to `/sign-in`. */
    other: string
    /** The box to trust the device. */
    trust: (days: number) => string
    /** The login has expired, was used, or had too many wrong answers. */
    dead: Saying & { button: string }
  }
  /** The page on which a person who is logged in proves again who they are. */
  stepUp: {
    title: string
    /** The reason when it is only that time has passed. */
    text: string
    /** The reason when an application asks for a level. */
    asked: { aal2: (app: string) => string; phr: (app: string) => string }
    /** The link for a person who cannot reach the level. */
    back: (app: string) => string
    password: string
    wrongPassword: string
    missingPassword: string
  }
  /** The ways to prove a second factor. */
  ways: {
    /** The link to another way. */
    use: { webauthn: string; totp: string; recovery_code: string }
    code: string
    codeHint: string
    recoveryCode: string
    recoveryHint: string
    button: string
    missing: string
    wrongCode: string
    wrongRecoveryCode: string
    /** Too many wrong codes. */
    locked: Saying
    /** For people who have no factor at hand. */
    lost: string
  }
  webauthn: {
    /** The button to log in with a passkey alone. */
    signIn: string
    /** The button to prove a second factor. */
    prove: string
    proveHint: string
    cancelled: string
    failed: string
    exists: string
    /** Only passkeys that stay on one device are accepted (PASSKEYS_SYNCED=deny). */
    synced: string
    unsupported: string
    noScript: string
    /** The service did not accept the answer of the browser. */
    refused: Saying
    /** No account has the passkey. */
    unknown: Saying
    /** The service takes no passkeys that can be copied (PASSKEYS_SYNCED=deny), or the registration failed otherwise. */
    notAdded: Saying
  }
  /** The page `/account/security`. */
  security: {
    title: string
    intro: string
    none: string
    types: { totp: string; passkey: string; security_key: string }
    added: (when: string) => string
    lastUsed: (when: string) => string
    /** Only passkeys that stay on one device are accepted (PASSKEYS_SYNCED=deny). */
    synced: string
    /** A passkey of a former address of the service. */
    unusable: string
    add: {
      title: string
      totp: string
      totpHint: string
      passkey: string
      passkeyHint: string
      key: string
      keyHint: string
    }
    isAdded: string
    isRemoved: string
    isRenamed: string
    tooMany: string
  }
  /** The list of trusted devices on `/account/security`. */
  trusted: {
    title: string
    text: string
    until: (when: string) => string
    end: string
    endAll: string
    ended: string
  }
  /** The page of one factor. */
  factor: {
    name: string
    invalidName: string
    rename: string
    remove: { title: string; text: string; last: string; button: string; password: string }
    /** A policy wants the factor. */
    required: string
    /** It is the only way to log in. */
    lastWay: string
    gone: string
  }
  /** The page that adds an authenticator app. */
  totp: {
    title: string
    scan: string
    /** The text of the picture. */
    qr: string
    open: string
    key: string
    code: string
    codeHint: string
    button: string
    wrong: string
    /** The ten minutes are over. */
    expired: string
  }
  recovery: {
    title: string
    left: (count: number) => string
    few: string
    renew: string
    renewHint: string
  }
  /** The page that shows new recovery codes, once. */
  codes: {
    title: string
    text: string
    download: string
    /** The name of the file, without its ending. */
    file: string
    copy: string
    copied: string
    print: string
    saved: string
    button: string
  }
  /** The page of a login that first needs a second factor. */
  enroll: {
    title: string
    text: string
    /** On the page `/account/security`, when the first factor needs the code of a mail. */
    mailFirst: string
    /** Before it, the code of a mail. */
    mail: { text: string; code: string; hint: string; button: string; send: string; wrong: string }
  }
}
