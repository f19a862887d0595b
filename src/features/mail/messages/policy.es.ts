import type { PolicyMessages } from './message.ts'

export const policyMessages: PolicyMessages = {
  second_factor_due: {
    subject: 'Su cuenta de {{app}} necesita un segundo factor',
    before: [
      'Su cuenta de {{app}} necesita un segundo factor además de la contraseña, por ejemplo una aplicación de autenticación o una llave de acceso. Configúrelo antes del día que figura abajo.',
    ],
    after: [
      'Después de ese día solo podrá usar una parte de {{app}}, o no podrá iniciar sesión, hasta que la cuenta tenga uno.',
    ],
  },
  enroll_factor: {
    subject: 'Su código para {{app}}',
    before: [
      'Alguien, probablemente usted, ha iniciado sesión en su cuenta de {{app}} y va a configurar un segundo factor. El código confirma que es usted.',
    ],
    after: [
      'Si no ha sido usted, otra persona conoce su contraseña. Cámbiela de inmediato y no dé nunca el código a nadie: nadie en {{app}} se lo pedirá.',
    ],
  },
  recover_factors: {
    subject: 'Recupere el acceso a su cuenta de {{app}}',
    before: [
      'Un administrador de {{app}} le envía este enlace, porque ha perdido su segundo factor. Con el enlace y su contraseña elimina todos los segundos factores de su cuenta, y después inicia sesión solo con la contraseña.',
    ],
    button: 'Eliminar mis segundos factores',
    lifetime: 'El enlace funciona una sola vez, hasta el {{until}}.',
    after: [
      'Si no lo ha perdido, ignore este correo: sin el enlace y su contraseña no cambia nada. Pregunte a los responsables de {{app}} por qué lo ha recibido.',
    ],
  },
  factors_recovered: {
    subject: 'Se han eliminado todos los segundos factores de su cuenta de {{app}}',
    before: [
      'Se han eliminado todos los segundos factores y códigos de recuperación de su cuenta de {{app}}, con el enlace de un correo y su contraseña. Se ha cerrado la sesión en todos los dispositivos.',
    ],
    after: [
      'Si ha sido usted, inicie sesión y configure un nuevo segundo factor.',
      'Si no ha sido usted, otra persona lee su correo y conoce su contraseña. Cambie la contraseña de inmediato y contacte con los responsables de {{app}}.',
    ],
  },
  factors_reset: {
    subject: 'Se han eliminado segundos factores de su cuenta de {{app}}',
    before: [
      'Un administrador de {{app}} ha eliminado segundos factores de su cuenta. Se ha cerrado la sesión en todos los dispositivos.',
    ],
    after: [
      'Si lo ha pedido usted, inicie sesión y configure un nuevo segundo factor.',
      'Si no, cambie su contraseña y contacte de inmediato con los responsables de {{app}}.',
    ],
  },
}
