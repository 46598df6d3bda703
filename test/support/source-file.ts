import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

export interface Import {
  /** As written: `../errors.js`, `node:fs`, `lru-cache`. */
  readonly from: string
  /** Leaves nothing in the compiled code. */
  readonly typeOnly: boolean
  /** Loaded when a line of the code comes to it, not with the file. */
  readonly late: boolean
}

/** What the rules of the architecture look at in one file. */
export interface SourceFile {
  /** From the root of the project, e.g. `src/vfs/tree.ts`. */
  readonly path: string
  readonly imports: readonly Import[]
  readonly defaultExport: boolean
  readonly usesConsole: boolean
  readonly readsEnvironment: boolean
  /** Only hands on what other files export. */
  readonly barrel: boolean
}

/** Every TypeScript file below `folder`. */
export function readSources(folder: string): SourceFile[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.m?[jt]s$/.test(name))
    .map((name) => join(folder, name).replaceAll('\\', '/'))
    .sort()
    .map((path) => parseSource(path, readFileSync(path, 'utf8')))
}

export function parseSource(path: string, text: string): SourceFile {
  const root = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true)
  const imports: Import[] = []
  const found = { defaultExport: false, usesConsole: false, readsEnvironment: false }

  const visit = (node: ts.Node): void => {
    const imported = importOf(node)
    if (imported !== undefined) imports.push(imported)
    if (ts.isExportAssignment(node) || isDefaultExport(node)) found.defaultExport = true
    if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
      if (node.expression.text === 'console') found.usesConsole = true
      if (node.expression.text === 'process' && node.name.text === 'env') found.readsEnvironment = true
    }
    ts.forEachChild(node, visit)
  }
  visit(root)

  const handsOn = (statement: ts.Statement): boolean =>
    ts.isExportDeclaration(statement) && statement.moduleSpecifier !== undefined
  const barrel = root.statements.length > 0 && root.statements.every(handsOn)
  return { path, imports, barrel, ...found }
}

function importOf(node: ts.Node): Import | undefined {
  if (ts.isImportDeclaration(node)) return imported(node.moduleSpecifier, isTypeOnly(node.importClause))
  if (ts.isExportDeclaration(node)) return imported(node.moduleSpecifier, node.isTypeOnly)
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return imported(node.argument.literal, true)
  if (ts.isCallExpression(node)) {
    const { expression } = node
    const loads =
      expression.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(expression) && expression.text === 'require')
    if (loads) return imported(node.arguments[0], false, true)
  }
  return undefined
}

function imported(from: ts.Node | undefined, typeOnly: boolean, late = false): Import | undefined {
  return from !== undefined && ts.isStringLiteralLike(from) ? { from: from.text, typeOnly, late } : undefined
}

/** `import type …`, or nothing but `type` names in the braces. */
function isTypeOnly(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true
  const { name, namedBindings } = clause
  if (name !== undefined || namedBindings === undefined || !ts.isNamedImports(namedBindings)) return false
  return namedBindings.elements.length > 0 && namedBindings.elements.every((element) => element.isTypeOnly)
}

function isDefaultExport(node: ts.Node): boolean {
  if (ts.isExportSpecifier(node)) return node.name.text === 'default'
  if (!ts.canHaveModifiers(node)) return false
  return ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword) === true
}
