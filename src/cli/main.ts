#!/usr/bin/env node
import { loadConfig } from '../config/config.js'
import { boundHeapGrowth } from '../heap/bound-growth.js'
import { runCommand } from './program.js'
import { processTerminal } from './terminal.js'

// Whatever a command makes (data folder, key, database) is for its owner alone.
process.umask(0o077)
process.exitCode = await runCommand(process.argv.slice(2), processTerminal(), {
  loadConfig,
  serve: async (config) => {
    boundHeapGrowth()
    // Loaded when it is needed: the other commands start faster without.
    const { serve } = await import('../main.js')
    return serve(config)
  },
})
