import type { InLanguages } from '../../../../../pages/texts/text.ts'
import { de } from './de.ts'
import { en } from './en.ts'
import { es } from './es.ts'
import { fr } from './fr.ts'
import { ja } from './ja.ts'
import type { AccountTexts } from './text.ts'

/** The texts of the pages of an account. */
export const accountTexts: InLanguages<AccountTexts> = { en, de, fr, es, ja }
