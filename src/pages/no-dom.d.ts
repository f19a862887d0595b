// The types of preact ask for those of a browser, which contradict Bun's. `tsconfig.json` gives them this file instead.
export {}
