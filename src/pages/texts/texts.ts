import { de } from './de.ts'
import { en } from './en.ts'
import { es } from './es.ts'
import { fr } from './fr.ts'
import { ja } from './ja.ts'
import type { InLanguages, KitTexts } from './text.ts'

export const kitTexts: InLanguages<KitTexts> = { en, de, fr, es, ja }
