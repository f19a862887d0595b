/** A complete mail, ready to be sent. */
export interface Outgoing {
  /** The id of the mail in the outbox. Every attempt sends this id in the `Message-ID`, so copies can be recognised. */
  id: string
  /** The address of the only recipient. No text in the mail can add another recipient. */
  to: string
  subject: string
  text: string
  html: string
}

/** Sends mails to a mail server, or to the mailbox of `--dev`. */
export interface Transport {
  /**
   * Resolves when the mail server has accepted the mail.
   * @param signal ends the attempt: the connection is closed, so that the mail is not accepted later
   * @throws MailFailure when the mail server does not accept the mail
   */
  send(mail: Outgoing, signal?: AbortSignal): Promise<void>
  /** Closes idle connections. */
  close(): Promise<void>
}

/** The mail server did not accept a mail, or could not be reached. */
export class MailFailure extends Error {
  override readonly name = 'MailFailure'
  /**
   * @param message for an operator: printable, and without the text of the mail
   * @param facts.isFinal true when the mail server would refuse another attempt too (RFC 5321 section 4.2.1: a reply
   *   5yz about this mail)
   * @param facts.isOfServer true when every other mail would fail now too, for example because the mail server cannot
   *   be reached or refuses the password
   */
  constructor(
    message: string,
    readonly facts: { isFinal: boolean; isOfServer: boolean },
  ) {
    super(message)
  }
}
