import { type Db, statements } from '../../storage/store.ts'

export interface SigningKeyRow {
  kid: string
  alg: string
  publicJwk: string
  sealedPrivateKey: string
  state: string
  activeSlot: string | null
  createdAt: number
}

const prepared = statements(({ q, t: { signingKeys } }) => ({ all: q.select().from(signingKeys).prepare() }))

export const all = (db: Db): Promise<SigningKeyRow[]> => prepared(db).all.execute()

/** Adds a key unless its slot is taken: of two first starts at once, one makes the key. */
export const insertIfFirst = ({ q, t }: Db, row: SigningKeyRow) =>
  q.insert(t.signingKeys).values(row).onConflictDoNothing()
