import type { OpenIdTexts } from './text.ts'

export const en: OpenIdTexts = {
  refused: {
    request: {
      title: 'This sign-in request cannot be read',
      text: 'Go back to the application, and start again. If that does not help, tell the people who run it.',
    },
    client: {
      title: 'This application is not known here',
      text: 'It may have been removed or switched off. Tell the people who run it.',
    },
    redirect_uri: {
      title: 'This application is not set up for this address',
      text: 'It asked to be called back at an address that is not registered for it. Tell the people who run it.',
    },
  },
  stale: {
    title: 'This request has expired',
    text: 'Go back to the application, and start again.',
  },
  requestId: (id) => `For them: request ${id}`,
  consent: {
    title: (client) => `Continue to ${client}?`,
    account: (username) => `You are signed in as ${username}.`,
    intro: (client) => `${client} would like to:`,
    scopes: {
      openid: 'know that it is you',
      profile: 'see your name and username',
      email: 'see your email address',
      groups: 'see your roles',
      offline_access: 'stay signed in when you have signed out here',
    },
    otherScope: (scope) => `use “${scope}”`,
    goesTo: (address) => `You will go on to ${address}.`,
    unvouched:
      'This is a program on your device. Its name cannot be verified: allow it only if you have just started it yourself.',
    allow: 'Allow',
    deny: 'Do not allow',
    otherAccount: 'Use another account',
  },
  handOver: {
    title: 'Almost done',
    text: (client) => `You go on to ${client}.`,
    button: 'Continue',
  },
  logout: {
    title: 'Sign out?',
    account: (username) => `You are signed in as ${username}.`,
    by: (client) =>
      `${client} asks for it. The other applications in which you are signed in with this browser end too.`,
    button: 'Sign out',
    done: { title: 'You are signed out', text: 'You can close this page.' },
  },
  device: {
    title: 'Sign in on a device',
    intro: 'Type the code that the device shows.',
    code: 'Code',
    next: 'Continue',
    wrong: 'This code is not right, or it has expired. Look at the device again.',
    ask: (client) => `Sign in to ${client} on the device?`,
    warning: 'Allow it only if the device is in front of you. If somebody sent you this code, do not allow it.',
    asked: (ip, ago) => `The device asked ${ago}, from the address ${ip}.`,
    allowed: { title: 'The device is signed in', text: 'Look at the device. You can close this page.' },
    denied: { title: 'The device was refused', text: 'It gets no access. You can close this page.' },
  },
}
