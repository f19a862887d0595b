import type { Catalogue } from './message.ts'

export const es: Catalogue = {
  dates: 'es-ES',
  greeting: { named: 'Hola, {{username}}:', plain: 'Hola:' },
  footer: {
    why: '{{app}} le envía este mensaje por su cuenta. No puede responder a él.',
    support: '¿Preguntas? Escriba a {{support}}.',
  },
  facts: { time: 'Fecha', ip: 'Dirección IP', device: 'Dispositivo', address: 'Nueva dirección' },
  code: {
    only: 'Su código, válido durante {{code_minutes}} minutos:',
    also: 'O escriba este código, válido durante {{code_minutes}} minutos:',
  },
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
    new_device: {
      subject: 'Nuevo inicio de sesión en {{app}}',
      before: [
        'Alguien inició sesión en su cuenta de {{app}} con un dispositivo y desde una red que aún no conocemos.',
      ],
      after: [
        'Si fue usted, no tiene que hacer nada.',
        'Si no fue usted, otra persona conoce su contraseña o lee su correo. Cambie la contraseña de inmediato y cierre todas las demás sesiones de su cuenta.',
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
    verify_email: {
      subject: 'Confirme su dirección para {{app}}',
      before: ['Alguien, probablemente usted, indicó esta dirección para una cuenta de {{app}}. Confirme que es suya.'],
      button: 'Confirmar la dirección',
      lifetime: 'El enlace funciona una sola vez, hasta el {{until}}.',
      after: ['Si no fue usted, ignore este mensaje. No dé el código a nadie.'],
    },
    reset_password: {
      subject: 'Elija una nueva contraseña para {{app}}',
      before: ['Alguien, probablemente usted, pidió una nueva contraseña para su cuenta de {{app}}.'],
      button: 'Elegir una nueva contraseña',
      lifetime:
        'El enlace funciona una sola vez, durante {{minutes}} minutos. Su contraseña anterior vale hasta que elija una nueva.',
      after: ['Si no fue usted, ignore este mensaje: no cambia nada.'],
    },
    log_in: {
      subject: 'Iniciar sesión en {{app}}',
      before: ['Alguien, probablemente usted, quiere iniciar sesión en su cuenta de {{app}} con este mensaje.'],
      button: 'Iniciar sesión',
      lifetime: 'El enlace funciona una sola vez, durante {{minutes}} minutos.',
      after: ['Si no fue usted, ignore este mensaje. No dé el código a nadie: nadie de {{app}} se lo pedirá.'],
    },
    confirm_address: {
      subject: 'Confirme su nueva dirección para {{app}}',
      before: ['Esta será la nueva dirección de una cuenta de {{app}}. Cambiará en cuanto usted la confirme.'],
      button: 'Confirmar la nueva dirección',
      lifetime: 'El enlace funciona una sola vez, hasta el {{until}}.',
      after: ['Si no fue usted, ignore este mensaje: no cambia nada.'],
    },
    address_changed: {
      subject: 'Se cambió la dirección de su cuenta de {{app}}',
      before: ['Se cambió la dirección de su cuenta de {{app}}. Los mensajes ya no llegan a esta dirección.'],
      button: 'Deshacer el cambio',
      lifetime:
        'El enlace funciona una sola vez, hasta el {{until}}. Restablece esta dirección, cierra la sesión en todos los dispositivos y elimina la contraseña, para que usted elija una nueva.',
      after: ['Si fue usted, no tiene que hacer nada.', 'Si no fue usted, deshaga el cambio de inmediato.'],
    },
    address_taken: {
      subject: 'Usted ya tiene una cuenta de {{app}}',
      before: [
        'Alguien, probablemente usted, quiso usar esta dirección para una cuenta de {{app}}. Ya pertenece a su cuenta, así que no se cambió nada.',
      ],
      after: [
        'Si fue usted, inicie sesión en esa cuenta. Si olvidó la contraseña, elija allí una nueva.',
        'Si no fue usted, ignore este mensaje.',
      ],
    },
  },
}
