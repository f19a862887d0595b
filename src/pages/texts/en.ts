import type { KitTexts } from './text.ts'

export const en: KitTexts = {
  support: { before: 'Questions? Write to ', after: '.' },
  titleWithError: (title) => `Error: ${title}`,
  toApp: (app) => `Continue to ${app}`,
  again: 'Try again',
  waitFor: (when) => `Nothing was changed. Try again ${when}.`,
  problems: {
    bad_request: { title: 'This page could not read the request', text: 'Go back, and send the form again.' },
    bad_address: {
      title: 'This page could not read the request',
      text: 'Check the address, or use the link of the mail again.',
    },
    csrf_refused: {
      title: 'The form was not sent from this page',
      text: 'For your safety nothing was changed. Open the page again, and send the form from there.',
    },
    not_found: { title: 'There is no such page', text: 'Check the address, or use the link of the mail again.' },
    rate_limited: { title: 'Too many attempts', text: 'Nothing was changed.' },
    busy: {
      title: 'The service is busy',
      text: 'Nothing was changed. Try again in a moment.',
    },
    mail_not_configured: {
      title: 'This service cannot send mail',
      text: 'Ask the people who run it for help.',
    },
    internal: { title: 'Something went wrong', text: 'The error is ours and was noted. Try again later.' },
  },
  newPassword: {
    label: 'New password',
    hint: (minLength) => `At least ${minLength} characters. A few words that do not belong together are good.`,
    errors: {
      malformed: () => 'This text cannot be a password. Choose another one.',
      too_long: () => 'The password must have at most 256 characters.',
      too_short: (minLength) => `The password must have at least ${minLength} characters.`,
      common: () => 'Many people use this password. Choose another one.',
      pattern: () => 'This password is easy to guess. Choose another one.',
      own_name: () => 'The password must not be your username or email address.',
      service_name: () => 'The password must not be the name of the service.',
    },
    refused: 'This password cannot be used. Choose another one.',
  },
}
