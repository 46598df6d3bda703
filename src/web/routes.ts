import type { Router } from 'express'
import type { WebDependencies } from './dependencies.js'
import { filesRoutes } from './pages/files/files-routes.js'
import { jobsRoutes } from './pages/files/jobs-page.js'
import { accountRoutes } from './pages/account/account.js'
import { apiDocsRoutes } from './pages/api/docs.js'
import { apiTokenRoutes } from './pages/account/api-tokens.js'
import { appPasswordRoutes } from './pages/account/app-passwords.js'
import { ownSecondFactorRoutes } from './pages/account/second-factor.js'
import { sessionsRoutes } from './pages/account/sessions.js'
import { connectCheckRoutes } from './pages/connect/check.js'
import { connectRoutes } from './pages/connect/connect.js'
import { registryFileRoutes } from './pages/connect/registry-file.js'
import { dashboardRoutes } from './pages/dashboard/dashboard.js'
import { freeSpaceRoutes } from './pages/dashboard/free-space.js'
import { remotePasswordRoutes } from './pages/dashboard/remote-password.js'
import { ADMIN_PAGES } from './pages/admin.js'
import { sharedRoutes } from './pages/shared/shared-routes.js'
import { homeRoutes } from './pages/home.js'
import { loginRoutes } from './pages/sign-in/login.js'
import { logoutRoutes } from './pages/sign-in/logout.js'
import { passwordRoutes } from './pages/sign-in/password.js'
import { secondFactorRoutes } from './pages/sign-in/second-factor.js'
import { setupRoutes } from './pages/sign-in/setup.js'

/** Every page that browsers see, behind the session and the protection of forms. One file for each address. */
export const PAGES: readonly ((dependencies: WebDependencies) => Router)[] = [
  homeRoutes,
  loginRoutes,
  secondFactorRoutes,
  logoutRoutes,
  filesRoutes,
  jobsRoutes,
  sharedRoutes,
  setupRoutes,
  passwordRoutes,
  dashboardRoutes,
  freeSpaceRoutes,
  remotePasswordRoutes,
  accountRoutes,
  appPasswordRoutes,
  apiTokenRoutes,
  sessionsRoutes,
  ownSecondFactorRoutes,
  connectRoutes,
  registryFileRoutes,
  connectCheckRoutes,
  apiDocsRoutes,
  ...ADMIN_PAGES,
]
