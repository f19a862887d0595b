import type { InLanguages } from '../../../../pages/texts/text.ts'
import { de } from './de.ts'
import { en } from './en.ts'
import { es } from './es.ts'
import { fr } from './fr.ts'
import { ja } from './ja.ts'
import type { OpenIdTexts } from './text.ts'

/** The texts of the pages of the OpenID provider. */
export const openIdTexts: InLanguages<OpenIdTexts> = { en, de, fr, es, ja }
