import type { InLanguages } from '../../../../pages/texts/text.ts'
import { de } from './de.ts'
import { en } from './en.ts'
import { es } from './es.ts'
import { fr } from './fr.ts'
import { ja } from './ja.ts'
import type { InvitationTexts } from './text.ts'

/** The texts of the page behind an invitation. */
export const invitationTexts: InLanguages<InvitationTexts> = { en, de, fr, es, ja }
