import type { InLanguages } from '../../../../pages/texts/text.ts'
import { de } from './de.ts'
import { en } from './en.ts'
import { es } from './es.ts'
import { fr } from './fr.ts'
import { ja } from './ja.ts'
import type { SignInTexts } from './text.ts'

/** The texts of the pages to log in, to log out and to register. */
export const signInTexts: InLanguages<SignInTexts> = { en, de, fr, es, ja }
