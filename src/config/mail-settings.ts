import { Optional } from 'typebox'
import { isMailAddress, isMailSender, isPlainLine } from './formats.ts'
import { choice, smtpUrl, text, webAddress, whole } from './kinds.ts'

/** The settings of mails and pages; a part of `configSchema`. */
export const mailSettings = {
  SMTP_URL: Optional(
    smtpUrl({
      description: 'The mail server; without it Keyward sends no mail.',
    }),
  ),
  MAIL_FROM: Optional(
    text(isMailSender, 'an address, or a name and an address such as Example <no-reply@example.com>', {
      description: 'The sender of every mail; required with `SMTP_URL`.',
    }),
  ),
  MAIL_MAX_ATTEMPTS: whole(1, 100, {
    default: 12,
    description: 'After so many failed attempts, some 15 hours with the default, a mail is given up; it can be resent.',
  }),
  APP_NAME: text((name) => isPlainLine(name) && [...name].length <= 64, 'a line of at most 64 characters', {
    default: 'Keyward',
    description: 'The name of your service in mails.',
  }),
  SUPPORT_EMAIL: Optional(
    text(isMailAddress, 'an email address', { description: 'The address that mails name for questions.' }),
  ),
  TEMPLATES_DIR: Optional(
    text(isPlainLine, 'the path of a folder', {
      description: 'A folder with texts that replace the built-in texts of mails.',
    }),
  ),
  PAGES: choice(['on', 'off'], {
    default: 'on',
    description: 'Whether Keyward has its own pages, such as the one that a link to reset a password leads to.',
  }),
  LINK_URL: Optional(
    webAddress({
      description:
        'With `PAGES=off`: your page to which the links of mails lead, as `LINK_URL?kind=reset&token=…`; required with `SMTP_URL`.',
    }),
  ),
  LOGIN_URL: Optional(
    webAddress({
      description:
        'Your page to which the link of a mail to log in leads, as `LOGIN_URL?token=…`; without it such a mail has a code only.',
    }),
  ),
  EMAIL_LOGIN: choice(['on', 'off'], {
    default: 'off',
    description: 'Whether people can log in with a code or a link from a mail instead of a password.',
  }),
  APP_URL: Optional(
    webAddress({ description: 'Your application; the pages of Keyward lead there when everything is done.' }),
  ),
}
