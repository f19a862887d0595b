import { de } from './de.ts'
import { en } from './en.ts'
import { es } from './es.ts'
import { fr } from './fr.ts'
import { ja } from './ja.ts'
import type { Catalogues } from './message.ts'

export const catalogues: Catalogues = { en, de, fr, es, ja }
