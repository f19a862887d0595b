import type { Catalogue } from './message.ts'

export const es: Catalogue = {
  dates: 'es-ES',
  greeting: { named: 'Hola, {{username}}:', plain: 'Hola:' },
  footer: {
    why: '{{app}} le envía este mensaje por su cuenta. No puede responder a él.',
    support: '¿Preguntas? Escriba a {{support}}.',
  },
  facts: { time: 'Fecha', ip: 'Dirección IP', device: 'Dispositivo' },
  messages: {
    test: {
      subject: 'Los mensajes de {{app}} llegan',
      before: ['Esto es una prueba. Si puede leerla, {{app}} puede enviar mensajes a esta dirección.'],
      after: [],
    },
    password_changed: {
      subject: 'Se cambió su contraseña de {{app}}',
      before: ['Se cambió la contraseña de su cuenta de {{app}}. Se cerró la sesión en los demás dispositivos.'],
      after: [
        'Si fue usted, no tiene que hacer nada.',
        'Si no fue usted, es posible que otra persona tenga acceso a su cuenta. Contacte de inmediato con los responsables de {{app}}.',
      ],
    },
    session_reused: {
      subject: 'Se cerró su sesión de {{app}} en un dispositivo',
      before: [
        'Un inicio de sesión de su cuenta de {{app}} se usó en dos lugares a la vez. Esto ocurre cuando alguien lo copia o cuando un dispositivo se restaura desde una copia de seguridad. Por seguridad, hemos cerrado esa sesión.',
      ],
      after: [
        'Si restauró un dispositivo o trasladó una aplicación, inicie sesión allí de nuevo; no tiene que hacer nada más.',
        'Si no, cambie su contraseña y cierre todas las demás sesiones de su cuenta.',
      ],
    },
  },
}
