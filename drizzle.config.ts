import { defineConfig } from 'drizzle-kit'

// `bun run generate` calls drizzle-kit once for each dialect; migrations are applied by src/storage/migrate.ts.
const dialect = process.env.KEYWARD_DIALECT === 'postgresql' ? 'postgresql' : 'sqlite'

const config = defineConfig({ dialect, schema: `./src/storage/schema.${dialect}.ts`, out: `./drizzle/${dialect}` })

export default config
