import type { Visit } from '../../../../pages/pages.tsx'
import type { InLanguages } from '../../../../pages/texts/text.ts'
import { de } from './de.ts'
import { en } from './en.ts'
import { es } from './es.ts'
import { fr } from './fr.ts'
import { ja } from './ja.ts'
import type { SocialTexts } from './text.ts'

export const socialTexts: InLanguages<SocialTexts> = { en, de, fr, es, ja }

/** The texts of the pages of this feature, in the language of the visit. */
export const textsFor = ({ locale }: Pick<Visit, 'locale'>): SocialTexts => socialTexts[locale]
