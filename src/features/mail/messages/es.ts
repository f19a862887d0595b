import { factorMessages } from './factors.es.ts'
import type { Catalogue } from './message.ts'
import { policyMessages } from './policy.es.ts'

export const es: Catalogue = {
  dates: 'es-ES',
  greeting: { named: 'Hola, {{username}}:', plain: 'Hola:' },
  footer: {
    why: '{{app}} le envía este correo en relación con su cuenta. No puede responder a él.',
    support: '¿Preguntas? Escriba a {{support}}.',
  },
  colon: ': ',
  facts: {
    time: 'Fecha y hora',
    ip: 'Dirección IP',
    device: 'Dispositivo',
    address: 'Nueva dirección',
    provider: 'Proveedor',
    due: 'Necesario a partir del',
    factor: 'Factor',
    left: 'Códigos restantes',
  },
  code: {
    only: 'Su código, válido durante {{code_minutes}} minutos:',
    also: 'O escriba este código, válido durante {{code_minutes}} minutos:',
  },
  messages: {
    ...policyMessages,
    ...factorMessages,
    test: {
      subject: 'Los correos de {{app}} llegan',
      before: ['Esto es una prueba. Si puede leerla, {{app}} puede enviar correos a esta dirección.'],
      after: [],
    },
    password_changed: {
      subject: 'Se ha cambiado su contraseña de {{app}}',
      before: [
        'Se ha cambiado la contraseña de su cuenta de {{app}}. Se ha cerrado la sesión en los demás dispositivos.',
      ],
      after: [
        'Si ha sido usted, no tiene que hacer nada.',
        'Si no ha sido usted, es posible que otra persona tenga acceso a su cuenta. Contacte de inmediato con los responsables de {{app}}.',
      ],
    },
    new_device: {
      subject: 'Nuevo inicio de sesión en {{app}}',
      before: [
        'Alguien ha iniciado sesión en su cuenta de {{app}} con un dispositivo y desde una red que aún no conocemos.',
      ],
      after: [
        'Si ha sido usted, no tiene que hacer nada.',
        'Si no ha sido usted, otra persona conoce su contraseña o lee su correo. Cambie la contraseña de inmediato y cierre todas las demás sesiones de su cuenta.',
      ],
    },
    session_reused: {
      subject: 'Se ha cerrado su sesión de {{app}} en un dispositivo',
      before: [
        'Un inicio de sesión de su cuenta de {{app}} se ha usado en dos lugares a la vez. Esto ocurre cuando alguien lo copia o cuando un dispositivo se restaura desde una copia de seguridad. Por seguridad, hemos cerrado esa sesión.',
      ],
      after: [
        'Si ha restaurado un dispositivo o trasladado una aplicación, inicie sesión allí de nuevo; no tiene que hacer nada más.',
        'Si no, cambie su contraseña y cierre todas las demás sesiones de su cuenta.',
      ],
    },
    link_identity: {
      subject: 'Su código para {{app}}',
      before: [
        'Alguien, probablemente usted, inicia sesión en {{app}} con {{provider}} y ha indicado esta dirección. El código confirma que la dirección es suya. Si tiene una cuenta en {{app}}, podrá vincularse con {{provider}}.',
      ],
      after: ['Si no ha sido usted, ignore este correo. No dé nunca el código a nadie: nadie en {{app}} se lo pedirá.'],
    },
    wrong_codes: {
      subject: 'Códigos incorrectos en su cuenta de {{app}}',
      before: [
        'Alguien ha escrito cinco códigos incorrectos de una aplicación de autenticación al iniciar sesión en su cuenta de {{app}}. Quien llega hasta ahí conoce su contraseña o lee su correo.',
      ],
      after: [
        'Si ha sido usted, compruebe que el reloj de su teléfono es correcto.',
        'Si no ha sido usted, nadie ha entrado, pero cambie su contraseña de inmediato.',
      ],
    },
    codes_locked: {
      subject: 'Los códigos de su cuenta de {{app}} están bloqueados',
      before: [
        'Se han escrito 100 códigos incorrectos seguidos para su cuenta de {{app}}. Por eso ya no se aceptan códigos de aplicaciones de autenticación.',
      ],
      after: [
        'Inicie sesión con una llave de acceso, una llave de seguridad o un código de recuperación: después se aceptarán códigos de nuevo. Si no tiene ninguno de ellos, contacte con los responsables de {{app}}.',
        'Si no ha escrito usted estos códigos, otra persona conoce su contraseña. Cámbiela de inmediato.',
      ],
    },
    identity_linked: {
      subject: 'Ya puede iniciar sesión en {{app}} con {{provider}}',
      before: [
        'Se ha vinculado una cuenta de {{provider}} con su cuenta de {{app}}. Quien la use puede entrar en su cuenta.',
      ],
      after: [
        'Si ha sido usted, no tiene que hacer nada.',
        'Si no, desvincúlela en su cuenta y cambie su contraseña de inmediato.',
      ],
    },
    identity_unlinked: {
      subject: '{{provider}} ya no inicia su sesión en {{app}}',
      before: ['Una cuenta de {{provider}} ya no está vinculada con su cuenta de {{app}}.'],
      after: [
        'Si ha sido usted, no tiene que hacer nada.',
        'Si no, cambie su contraseña y cierre todas las demás sesiones de su cuenta.',
      ],
    },
    identity_account: {
      subject: 'Su cuenta en {{app}}',
      before: [
        'Alguien, probablemente usted, ha iniciado sesión en {{app}} con {{provider}}. Se ha creado una cuenta con esta dirección. No tiene contraseña.',
      ],
      after: [
        'Si ha sido usted, no tiene que hacer nada.',
        'Si no, alguien tiene acceso a su cuenta de {{provider}}. Escriba a los responsables de {{app}}.',
      ],
    },
    identity_taken: {
      subject: 'No se ha podido vincular {{provider}} en {{app}}',
      before: [
        'Alguien quería vincular en {{app}} una cuenta de {{provider}} que ya está vinculada con otra cuenta. Ambas cuentas reciben este correo. No se ha cambiado nada.',
      ],
      after: [
        'Si tiene dos cuentas en {{app}}, desvincúlela primero en la otra.',
        'Si no ha sido usted, no tiene que hacer nada.',
      ],
    },
    verify_email: {
      subject: 'Confirme su dirección para {{app}}',
      before: [
        'Alguien, probablemente usted, ha indicado esta dirección para una cuenta de {{app}}. Confirme que es suya.',
      ],
      button: 'Confirmar la dirección',
      lifetime: 'El enlace funciona una sola vez, hasta el {{until}}.',
      after: ['Si no ha sido usted, ignore este correo. No dé el código a nadie.'],
    },
    reset_password: {
      subject: 'Elija una nueva contraseña para {{app}}',
      before: ['Alguien, probablemente usted, ha pedido una nueva contraseña para su cuenta de {{app}}.'],
      button: 'Elegir una nueva contraseña',
      lifetime:
        'El enlace funciona una sola vez, durante {{minutes}} minutos. Si la cuenta tiene una contraseña, sigue siendo válida hasta que elija una nueva.',
      after: ['Si no ha sido usted, ignore este correo: no cambia nada.'],
    },
    reset_by_admin: {
      subject: 'Elija una nueva contraseña para {{app}}',
      before: [
        'Un administrador de {{app}} le envía este enlace, con el que elegirá una nueva contraseña para su cuenta.',
      ],
      button: 'Elegir una nueva contraseña',
      lifetime:
        'El enlace funciona una sola vez, durante {{minutes}} minutos. Si la cuenta tiene una contraseña, sigue siendo válida hasta que elija una nueva.',
      after: ['Si no lo esperaba, pregunte a los responsables de {{app}}. Sin el enlace no cambia nada.'],
    },
    address_restored: {
      subject: 'Ha recuperado su cuenta de {{app}}: elija una nueva contraseña',
      before: [
        'Se ha deshecho el cambio de dirección: esta vuelve a ser la dirección de su cuenta de {{app}}. Se ha cerrado la sesión en todos los dispositivos y se ha eliminado la contraseña, porque es posible que otra persona la conozca.',
      ],
      button: 'Elegir una nueva contraseña',
      lifetime:
        'El enlace funciona una sola vez, durante {{minutes}} minutos. Después, indique que ha olvidado la contraseña.',
      after: [
        'Si usted no ha deshecho el cambio, otra persona lee su correo. Cambie primero la contraseña de su buzón.',
      ],
    },
    log_in: {
      subject: 'Iniciar sesión en {{app}}',
      before: ['Alguien, probablemente usted, quiere iniciar sesión en su cuenta de {{app}} con este correo.'],
      button: 'Iniciar sesión',
      lifetime: 'El enlace funciona una sola vez, durante {{minutes}} minutos.',
      after: ['Si no ha sido usted, ignore este correo. No dé el código a nadie: nadie de {{app}} se lo pedirá.'],
    },
    confirm_address: {
      subject: 'Confirme su nueva dirección para {{app}}',
      before: ['Esta será la nueva dirección de una cuenta de {{app}}. Cambiará en cuanto usted la confirme.'],
      button: 'Confirmar la nueva dirección',
      lifetime: 'El enlace funciona una sola vez, hasta el {{until}}.',
      after: ['Si no ha sido usted, ignore este correo: no cambia nada.'],
    },
    address_changed: {
      subject: 'Se ha cambiado la dirección de su cuenta de {{app}}',
      before: ['Se ha cambiado la dirección de su cuenta de {{app}}. Los correos ya no llegan a esta dirección.'],
      button: 'Deshacer el cambio',
      lifetime:
        'El enlace funciona una sola vez, hasta el {{until}}. Restablece esta dirección, cierra la sesión en todos los dispositivos y elimina la contraseña, para que usted elija una nueva.',
      after: ['Si ha sido usted, no tiene que hacer nada.', 'Si no ha sido usted, deshaga el cambio de inmediato.'],
    },
    address_taken: {
      subject: 'Ya tiene una cuenta de {{app}}',
      before: [
        'Alguien, probablemente usted, ha querido usar esta dirección para una cuenta de {{app}}. Ya pertenece a su cuenta, así que no se ha cambiado nada.',
      ],
      after: [
        'Si ha sido usted, inicie sesión en esa cuenta. Si ha olvidado la contraseña, elija allí una nueva.',
        'Si no ha sido usted, ignore este correo.',
      ],
    },
    invitation: {
      subject: 'Su invitación a {{app}}',
      before: ['Se ha creado una cuenta de {{app}} para usted. Elija una contraseña para usarla.'],
      button: 'Aceptar la invitación',
      lifetime: 'El enlace funciona una sola vez, hasta el {{until}}.',
      after: ['Si no lo esperaba, ignore este correo: sin su enlace nadie puede usar la cuenta.'],
    },
    first_admin: {
      subject: 'Conviértase en el primer administrador de {{app}}',
      before: [
        '{{app}} no tiene todavía administrador, y su configuración indica esta dirección. Elija una contraseña para ser el primero.',
      ],
      button: 'Ser administrador',
      lifetime: 'El enlace funciona una sola vez, hasta el {{until}}, y solo mientras no haya administrador.',
      after: ['Si usted no gestiona {{app}}, ignore este correo.'],
    },
  },
}
