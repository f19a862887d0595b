import type { OpenIdTexts } from './text.ts'

export const de: OpenIdTexts = {
  refused: {
    request: {
      title: 'Diese Anmeldeanfrage ist nicht lesbar',
      text: 'Gehen Sie zur Anwendung zurück und beginnen Sie von vorn. Wenn das nicht hilft, sagen Sie es ihren Betreibern.',
    },
    client: {
      title: 'Diese Anwendung ist hier nicht bekannt',
      text: 'Vielleicht wurde sie entfernt oder abgeschaltet. Sagen Sie es ihren Betreibern.',
    },
    redirect_uri: {
      title: 'Diese Anwendung ist für diese Adresse nicht eingerichtet',
      text: 'Sie wollte an eine Adresse zurück, die für sie nicht eingetragen ist. Sagen Sie es ihren Betreibern.',
    },
  },
  stale: {
    title: 'Diese Anfrage ist abgelaufen',
    text: 'Gehen Sie zur Anwendung zurück und beginnen Sie von vorn.',
  },
  requestId: (id) => `Für die Betreiber: Anfrage ${id}`,
  consent: {
    title: (client) => `Weiter zu ${client}?`,
    account: (username) => `Sie sind als ${username} angemeldet.`,
    intro: (client) => `${client} möchte:`,
    scopes: {
      openid: 'wissen, dass Sie es sind',
      profile: 'Ihren Namen und Benutzernamen sehen',
      email: 'Ihre E-Mail-Adresse sehen',
      groups: 'Ihre Rollen sehen',
      offline_access: 'angemeldet bleiben, auch wenn Sie sich hier abgemeldet haben',
    },
    otherScope: (scope) => `„${scope}“ nutzen`,
    goesTo: (address) => `Danach geht es weiter zu ${address}.`,
    unvouched:
      'Das ist ein Programm auf Ihrem Gerät. Sein Name lässt sich nicht prüfen: Erlauben Sie es nur, wenn Sie es gerade selbst gestartet haben.',
    allow: 'Erlauben',
    deny: 'Nicht erlauben',
    otherAccount: 'Anderes Konto verwenden',
  },
  handOver: {
    title: 'Fast fertig',
    text: (client) => `Es geht weiter zu ${client}.`,
    button: 'Weiter',
  },
  logout: {
    title: 'Abmelden?',
    account: (username) => `Sie sind als ${username} angemeldet.`,
    by: (client) =>
      `${client} bittet darum. Auch in den anderen Anwendungen, in denen Sie mit diesem Browser angemeldet sind, endet die Anmeldung.`,
    button: 'Abmelden',
    done: { title: 'Sie sind abgemeldet', text: 'Sie können diese Seite schließen.' },
  },
  device: {
    title: 'An einem Gerät anmelden',
    intro: 'Geben Sie den Code ein, den das Gerät zeigt.',
    code: 'Code',
    next: 'Weiter',
    wrong: 'Dieser Code stimmt nicht oder ist abgelaufen. Sehen Sie noch einmal auf das Gerät.',
    ask: (client) => `Auf dem Gerät bei ${client} anmelden?`,
    warning:
      'Erlauben Sie es nur, wenn Sie das Gerät vor sich haben. Wenn Ihnen jemand diesen Code geschickt hat, erlauben Sie es nicht.',
    asked: (ip, ago) => `Das Gerät hat ${ago} gefragt, von der Adresse ${ip}.`,
    allowed: { title: 'Das Gerät ist angemeldet', text: 'Sehen Sie auf das Gerät. Sie können diese Seite schließen.' },
    denied: { title: 'Das Gerät wurde abgelehnt', text: 'Es bekommt keinen Zugang. Sie können diese Seite schließen.' },
  },
}
