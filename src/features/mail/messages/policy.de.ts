import type { PolicyMessages } from './message.ts'

export const policyMessages: PolicyMessages = {
  second_factor_due: {
    subject: 'Ihr Konto bei {{app}} braucht einen zweiten Faktor',
    before: [
      'Ihr Konto bei {{app}} braucht neben dem Passwort einen zweiten Faktor, zum Beispiel eine Authenticator-App oder einen Passkey. Bitte richten Sie ihn vor dem Tag ein, der unten steht.',
    ],
    after: [
      'Danach können Sie {{app}} nur noch zum Teil benutzen oder sich nicht mehr anmelden, bis das Konto einen hat.',
    ],
  },
  enroll_factor: {
    subject: 'Ihr Code für {{app}}',
    before: [
      'Jemand, wahrscheinlich Sie, hat sich in Ihrem Konto bei {{app}} angemeldet und richtet einen zweiten Faktor ein. Der Code bestätigt, dass Sie es sind.',
    ],
    after: [
      'Wenn Sie das nicht waren, kennt jemand anders Ihr Passwort. Ändern Sie es sofort, und geben Sie den Code an niemanden weiter: Niemand bei {{app}} fragt danach.',
    ],
  },
  recover_factors: {
    subject: 'Zurück in Ihr Konto bei {{app}}',
    before: [
      'Ein Administrator von {{app}} schickt Ihnen diesen Link, weil Sie Ihren zweiten Faktor verloren haben. Mit dem Link und Ihrem Passwort entfernen Sie alle zweiten Faktoren Ihres Kontos und melden sich dann mit dem Passwort allein an.',
    ],
    button: 'Meine zweiten Faktoren entfernen',
    lifetime: 'Der Link gilt nur einmal, bis zum {{until}}.',
    after: [
      'Wenn Sie ihn nicht verloren haben, ignorieren Sie diese E-Mail: Ohne den Link und Ihr Passwort ändert sich nichts. Fragen Sie die Betreiber von {{app}}, warum sie gekommen ist.',
    ],
  },
  factors_recovered: {
    subject: 'Alle zweiten Faktoren Ihres Kontos bei {{app}} wurden entfernt',
    before: [
      'Alle zweiten Faktoren und Wiederherstellungscodes Ihres Kontos bei {{app}} wurden entfernt, mit dem Link einer E-Mail und Ihrem Passwort. Alle Geräte wurden abgemeldet.',
    ],
    after: [
      'Wenn Sie das waren, melden Sie sich an und richten Sie einen neuen zweiten Faktor ein.',
      'Wenn nicht, liest jemand anders Ihre E-Mails und kennt Ihr Passwort. Ändern Sie sofort das Passwort und wenden Sie sich an die Betreiber von {{app}}.',
    ],
  },
  factors_reset: {
    subject: 'Zweite Faktoren Ihres Kontos bei {{app}} wurden entfernt',
    before: ['Ein Administrator von {{app}} hat zweite Faktoren Ihres Kontos entfernt. Alle Geräte wurden abgemeldet.'],
    after: [
      'Wenn Sie darum gebeten haben, melden Sie sich an und richten Sie einen neuen zweiten Faktor ein.',
      'Wenn nicht, ändern Sie Ihr Passwort und wenden Sie sich sofort an die Betreiber von {{app}}.',
    ],
  },
}
