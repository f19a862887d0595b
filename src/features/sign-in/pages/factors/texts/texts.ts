import type { InLanguages } from '../../../../../pages/texts/text.ts'
import { de } from './de.ts'
import { en } from './en.ts'
import { es } from './es.ts'
import { fr } from './fr.ts'
import { ja } from './ja.ts'
import type { FactorTexts } from './text.ts'

/** The texts of the pages about second factors and passkeys. */
export const factorTexts: InLanguages<FactorTexts> = { en, de, fr, es, ja }
