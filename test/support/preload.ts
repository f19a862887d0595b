import { afterAll } from 'bun:test'
import { closeScratch } from './scratch.ts'

// Without this the caretaker does the same, a moment after the run.
afterAll(closeScratch, 60_000)
