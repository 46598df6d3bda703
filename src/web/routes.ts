import type { Router } from 'express'
import type { WebDependencies } from './dependencies.js'
import { ADMIN_PAGES } from './pages/admin.js'
import { homeRoutes } from './pages/home.js'
import { loginRoutes } from './pages/sign-in/login.js'
import { logoutRoutes } from './pages/sign-in/logout.js'
import { secondFactorRoutes } from './pages/sign-in/second-factor.js'

/** Every page that browsers see, behind the session and the protection of forms. One file for each address. */
export const PAGES: readonly ((dependencies: WebDependencies) => Router)[] = [
  homeRoutes,
  loginRoutes,
  secondFactorRoutes,
  logoutRoutes,
  ...ADMIN_PAGES,
]
