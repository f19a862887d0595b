import type { FactorMessages } from './message.ts'

export const factorMessages: FactorMessages = {
  factor_added: {
    subject: 'Bei {{app}} wurde ein zweiter Faktor hinzugefügt',
    before: [
      'Zu Ihrem Konto bei {{app}} wurde ein zweiter Faktor hinzugefügt. Er wird ab jetzt bei der Anmeldung verlangt. Alle anderen Geräte wurden abgemeldet.',
    ],
    after: [
      'Wenn Sie das waren, bewahren Sie Ihre Wiederherstellungscodes sicher auf: Sie brauchen einen, wenn Sie den Faktor verlieren.',
      'Wenn nicht, hat jemand anders Zugriff auf Ihr Konto. Wenden Sie sich sofort an die Betreiber von {{app}}.',
    ],
  },
  factor_removed: {
    subject: 'Bei {{app}} wurde ein zweiter Faktor entfernt',
    before: [
      'Aus Ihrem Konto bei {{app}} wurde ein zweiter Faktor entfernt. Er gilt nicht mehr. Alle anderen Geräte wurden abgemeldet.',
    ],
    after: [
      'Wenn Sie das waren, müssen Sie nichts tun.',
      'Wenn nicht, hat vielleicht jemand anders Zugriff auf Ihr Konto. Ändern Sie Ihr Passwort und wenden Sie sich sofort an die Betreiber von {{app}}.',
    ],
  },
  recovery_codes_renewed: {
    subject: 'Ihre neuen Wiederherstellungscodes bei {{app}}',
    before: [
      'Für Ihr Konto bei {{app}} wurden neue Wiederherstellungscodes erzeugt. Die bisherigen gelten nicht mehr.',
    ],
    after: [
      'Wenn Sie das waren, bewahren Sie die neuen Codes sicher auf. Sie werden nicht noch einmal angezeigt.',
      'Wenn nicht, hat vielleicht jemand anders Zugriff auf Ihr Konto. Ändern Sie Ihr Passwort und wenden Sie sich sofort an die Betreiber von {{app}}.',
    ],
  },
  recovery_code_used: {
    subject: 'Bei {{app}} wurde ein Wiederherstellungscode benutzt',
    before: [
      'Jemand hat einen der Wiederherstellungscodes Ihres Kontos bei {{app}} anstelle des zweiten Faktors benutzt. Es sind noch {{left}} Codes übrig.',
    ],
    after: [
      'Wenn Sie das waren und den anderen Faktor verloren haben, entfernen Sie ihn in Ihrem Konto und fügen Sie einen neuen hinzu. Erzeugen Sie neue Codes, bevor der letzte verbraucht ist.',
      'Wenn nicht, kennt jemand Ihr Passwort und hat Ihre Codes. Ändern Sie sofort das Passwort und erzeugen Sie neue Codes.',
    ],
  },
  trusted_device_added: {
    subject: 'Bei {{app}} wird einem Gerät vertraut',
    before: [
      'Ab jetzt genügt bei der Anmeldung an Ihrem Konto bei {{app}} mit diesem Gerät das Passwort; der zweite Faktor wird nicht verlangt.',
    ],
    after: [
      'Wenn Sie das waren, müssen Sie nichts tun. In Ihrem Konto können Sie das Vertrauen jederzeit beenden.',
      'Wenn nicht, kennt jemand Ihr Passwort und hat Ihren zweiten Faktor. Ändern Sie sofort Ihr Passwort: Damit endet das Vertrauen in alle Geräte.',
    ],
  },
  factor_copied: {
    subject: 'Bei {{app}} wurde vielleicht ein Passkey oder Sicherheitsschlüssel kopiert',
    before: [
      'Jemand hat einen Passkey oder Sicherheitsschlüssel Ihres Kontos bei {{app}} benutzt, dessen Zähler älter war als bei einer früheren Benutzung. Vielleicht gibt es eine Kopie davon. Die Anmeldung wurde abgelehnt.',
    ],
    after: [
      'Wenn Sie den Schlüssel auf ein anderes Gerät übertragen haben, entfernen Sie ihn in Ihrem Konto und fügen Sie ihn neu hinzu.',
      'Wenn nicht, entfernen Sie ihn sofort aus Ihrem Konto und melden Sie sich mit einem anderen Faktor an.',
    ],
  },
}
