import type { FactorMessages } from './message.ts'

export const factorMessages: FactorMessages = {
  factor_added: {
    subject: 'Se ha añadido un segundo factor en {{app}}',
    before: [
      'Se ha añadido un segundo factor a su cuenta de {{app}}. A partir de ahora se pedirá al iniciar sesión. Se ha cerrado la sesión en todos los demás dispositivos.',
    ],
    after: [
      'Si ha sido usted, guarde sus códigos de recuperación en un lugar seguro: necesitará uno si pierde el factor.',
      'Si no, otra persona tiene acceso a su cuenta. Escriba de inmediato a los responsables de {{app}}.',
    ],
  },
  factor_removed: {
    subject: 'Se ha quitado un segundo factor en {{app}}',
    before: [
      'Se ha quitado un segundo factor de su cuenta de {{app}}. Ya no se acepta. Se ha cerrado la sesión en todos los demás dispositivos.',
    ],
    after: [
      'Si ha sido usted, no tiene que hacer nada.',
      'Si no, puede que otra persona tenga acceso a su cuenta. Cambie su contraseña y escriba de inmediato a los responsables de {{app}}.',
    ],
  },
  recovery_codes_renewed: {
    subject: 'Sus nuevos códigos de recuperación en {{app}}',
    before: ['Se han creado nuevos códigos de recuperación para su cuenta de {{app}}. Los anteriores ya no funcionan.'],
    after: [
      'Si ha sido usted, guarde los nuevos códigos en un lugar seguro. No se volverán a mostrar.',
      'Si no, puede que otra persona tenga acceso a su cuenta. Cambie su contraseña y escriba de inmediato a los responsables de {{app}}.',
    ],
  },
  recovery_code_used: {
    subject: 'Se ha usado un código de recuperación en {{app}}',
    before: [
      'Alguien ha usado uno de los códigos de recuperación de su cuenta de {{app}} en lugar del segundo factor. Quedan {{left}} códigos.',
    ],
    after: [
      'Si ha sido usted y ha perdido el otro factor, quítelo de su cuenta y añada uno nuevo. Cree nuevos códigos antes de gastar el último.',
      'Si no, alguien conoce su contraseña y tiene sus códigos. Cambie la contraseña y cree nuevos códigos de inmediato.',
    ],
  },
  trusted_device_added: {
    subject: 'Un dispositivo es de confianza en {{app}}',
    before: [
      'A partir de ahora, para iniciar sesión en su cuenta de {{app}} con este dispositivo basta la contraseña; no se pide el segundo factor.',
    ],
    after: [
      'Si ha sido usted, no tiene que hacer nada. En su cuenta puede retirar la confianza en cualquier momento.',
      'Si no, alguien conoce su contraseña y tiene su segundo factor. Cambie su contraseña de inmediato: así ningún dispositivo será ya de confianza.',
    ],
  },
  factor_copied: {
    subject: 'Es posible que se haya copiado una llave de acceso en {{app}}',
    before: [
      'Alguien ha usado una llave de acceso o una llave de seguridad de su cuenta de {{app}}, y su contador era anterior al de un uso previo. Es posible que exista una copia. El inicio de sesión se ha rechazado.',
    ],
    after: [
      'Si ha pasado esta llave a otro dispositivo, quítela de su cuenta y vuelva a añadirla.',
      'Si no, quite la llave de su cuenta de inmediato e inicie sesión con otro factor.',
    ],
  },
}
