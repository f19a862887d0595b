import { Column, is, SQL } from 'drizzle-orm'
import type { Fields } from './statements.ts'

type Decode = (raw: unknown[]) => unknown

/** An SQL expression with its decoder, which `mapWith` sets. Drizzle's type `SQL` does not declare this member. */
interface Decoded {
  readonly decoder: { mapFromDriverValue(value: unknown): unknown }
}

/** Returns a function that turns a driver's row, an array of values, into an object with the shape of `fields`. */
export function rowDecoder<Row>(fields: Fields): (raw: unknown[]) => Row {
  const { decode } = decoderFrom(fields, 0)
  return (raw) => decode(raw) as Row
}

/** Returns a decoder for `fields`, whose values have the indexes from `start` to `end - 1` in the driver's row. */
function decoderFrom(fields: Fields, start: number): { end: number; decode: Decode } {
  let end = start
  const members = Object.entries(fields).map(([name, field]): { name: string; decode: Decode } => {
    if (is(field, Column) || is(field, SQL)) return { name, decode: decodeValue(field, end++) }
    const group = decoderFrom(field as Fields, end)
    end = group.end
    return { name, decode: group.decode }
  })
  const decode = (raw: unknown[]) => {
    const row: Record<string, unknown> = {}
    for (const member of members) row[member.name] = member.decode(raw)
    return row
  }
  return { end, decode }
}

function decodeValue(field: Column | SQL, at: number): Decode {
  const decoder = is(field, Column) ? field : (field as unknown as Decoded).decoder
  if (decoder.mapFromDriverValue === Column.prototype.mapFromDriverValue) return (raw) => raw[at]
  return (raw) => (raw[at] === null ? null : decoder.mapFromDriverValue(raw[at]))
}
