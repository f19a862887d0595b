import type { OpenIdTexts } from './text.ts'

export const es: OpenIdTexts = {
  refused: {
    request: {
      title: 'Esta solicitud de acceso no se puede leer',
      text: 'Vuelva a la aplicación y empiece de nuevo. Si no funciona, avise a quienes la gestionan.',
    },
    client: {
      title: 'Esta aplicación no se conoce aquí',
      text: 'Puede que se haya eliminado o desactivado. Avise a quienes la gestionan.',
    },
    redirect_uri: {
      title: 'Esta aplicación no está configurada para esta dirección',
      text: 'Pidió volver a una dirección que no está registrada para ella. Avise a quienes la gestionan.',
    },
  },
  stale: {
    title: 'Esta solicitud ha caducado',
    text: 'Vuelva a la aplicación y empiece de nuevo.',
  },
  requestId: (id) => `Para ellos: solicitud ${id}`,
  consent: {
    title: (client) => `¿Continuar a ${client}?`,
    account: (username) => `Ha iniciado sesión como ${username}.`,
    intro: (client) => `${client} quiere:`,
    scopes: {
      openid: 'saber que es usted',
      profile: 'ver su nombre y su nombre de usuario',
      email: 'ver su dirección de correo',
      groups: 'ver sus roles',
      offline_access: 'seguir con la sesión abierta cuando la haya cerrado aquí',
    },
    otherScope: (scope) => `usar «${scope}»`,
    goesTo: (address) => `Después irá a ${address}.`,
    unvouched:
      'Es un programa de su dispositivo. Su nombre no se puede comprobar: permítalo solo si acaba de abrirlo usted.',
    allow: 'Permitir',
    deny: 'No permitir',
    otherAccount: 'Usar otra cuenta',
  },
  handOver: {
    title: 'Casi listo',
    text: (client) => `Continúa a ${client}.`,
    button: 'Continuar',
  },
  logout: {
    title: '¿Cerrar la sesión?',
    account: (username) => `Ha iniciado sesión como ${username}.`,
    by: (client) =>
      `Lo pide ${client}. También se cerrará la sesión de las demás aplicaciones abiertas con este navegador.`,
    button: 'Cerrar la sesión',
    done: { title: 'La sesión está cerrada', text: 'Puede cerrar esta página.' },
  },
  device: {
    title: 'Iniciar sesión en un dispositivo',
    intro: 'Escriba el código que muestra el dispositivo.',
    code: 'Código',
    next: 'Continuar',
    wrong: 'Este código no es correcto o ha caducado. Mire otra vez el dispositivo.',
    ask: (client) => `¿Iniciar sesión en ${client} en el dispositivo?`,
    warning: 'Permítalo solo si tiene el dispositivo delante. Si alguien le ha enviado este código, no lo permita.',
    asked: (ip, ago) => `El dispositivo lo pidió ${ago}, desde la dirección ${ip}.`,
    allowed: {
      title: 'El dispositivo tiene la sesión abierta',
      text: 'Mire el dispositivo. Puede cerrar esta página.',
    },
    denied: { title: 'El dispositivo se ha rechazado', text: 'No tiene acceso. Puede cerrar esta página.' },
  },
}
