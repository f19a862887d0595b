// The types of preact refer to the DOM types of TypeScript, which conflict with Bun's types. `tsconfig.json` replaces
// the DOM types with this empty file.
export {}
