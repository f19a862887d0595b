/** A mail as it goes to the mail server. */
export interface Outgoing {
  /** Made once per mail, for its `Message-ID`. */
  id: string
  /** One address. It is the only recipient, whatever the text of the mail says. */
  to: string
  subject: string
  text: string
  html: string
}

/** The way that mails leave the process. */
export interface Transport {
  /** Resolves when the mail server has taken the mail. @throws MailFailure */
  send(mail: Outgoing): Promise<void>
  /** Closes idle connections. */
  close(): Promise<void>
}

/** The mail server did not take a mail. */
export class MailFailure extends Error {
  override readonly name = 'MailFailure'
  /**
   * @param message for an administrator: printable, and without the mail's text
   * @param facts.isFinal another attempt would be refused too (RFC 5321 section 4.2.1: a reply 5yz about this mail)
   * @param facts.isOfServer the server would refuse any mail now: it cannot be reached, or refuses the log-in
   */
  constructor(
    message: string,
    readonly facts: { isFinal: boolean; isOfServer: boolean },
  ) {
    super(message)
  }
}
