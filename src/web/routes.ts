import type { Router } from 'express'
import type { WebDependencies } from './dependencies.js'
import { filesRoutes } from './pages/files/files-routes.js'
import { jobsRoutes } from './pages/files/jobs-page.js'
import { homeRoutes } from './pages/home.js'

/** Every page that browsers see, behind the session and the protection of forms. One file for each address. */
export const PAGES: readonly ((dependencies: WebDependencies) => Router)[] = [
  homeRoutes,
  filesRoutes,
  jobsRoutes,
]
