import type { KitTexts } from './text.ts'

export const es: KitTexts = {
  support: { before: '¿Preguntas? Escriba a ', after: '.' },
  titleWithError: (title) => `Error: ${title}`,
  toApp: (app) => `Continuar a ${app}`,
  again: 'Intentarlo de nuevo',
  waitFor: (when) => `No se ha cambiado nada. Vuelva a intentarlo ${when}.`,
  problems: {
    bad_request: { title: 'No se ha podido leer la solicitud', text: 'Vuelva atrás y envíe el formulario de nuevo.' },
    bad_address: {
      title: 'No se ha podido leer la solicitud',
      text: 'Compruebe la dirección o abra de nuevo el enlace del correo.',
    },
    csrf_refused: {
      title: 'El formulario no se ha enviado desde esta página',
      text: 'Por su seguridad no se ha cambiado nada. Abra la página de nuevo y envíe el formulario desde allí.',
    },
    not_found: {
      title: 'Esta página no existe',
      text: 'Compruebe la dirección o abra de nuevo el enlace del correo.',
    },
    rate_limited: { title: 'Demasiados intentos', text: 'No se ha cambiado nada.' },
    busy: {
      title: 'El servicio está muy ocupado',
      text: 'No se ha cambiado nada. Vuelva a intentarlo dentro de un momento.',
    },
    mail_not_configured: {
      title: 'Este servicio no puede enviar correos',
      text: 'Pida ayuda a los responsables del servicio.',
    },
    internal: {
      title: 'Algo ha fallado',
      text: 'El error es nuestro y ha quedado registrado. Vuelva a intentarlo más tarde.',
    },
  },
  newPassword: {
    label: 'Nueva contraseña',
    hint: (minLength) => `Al menos ${minLength} caracteres. Van bien unas palabras que no tengan relación entre sí.`,
    errors: {
      malformed: () => 'Este texto no puede ser una contraseña. Elija otra.',
      too_long: () => 'La contraseña debe tener como máximo 256 caracteres.',
      too_short: (minLength) => `La contraseña debe tener al menos ${minLength} caracteres.`,
      common: () => 'Mucha gente usa esta contraseña. Elija otra.',
      pattern: () => 'Esta contraseña es fácil de adivinar. Elija otra.',
      own_name: () => 'La contraseña no debe ser su nombre de usuario ni su dirección de correo.',
      service_name: () => 'La contraseña no debe ser el nombre del servicio.',
    },
    refused: 'Esta contraseña no se puede usar. Elija otra.',
  },
}
