import { DataTypes, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import type { Model, ModelStatic, Sequelize } from 'sequelize'

/** A `DeadProperty` of `vfs/ports.ts` with the resource that has it. */
export interface DavPropertyRow extends Model<
  InferAttributes<DavPropertyRow>,
  InferCreationAttributes<DavPropertyRow>
> {
  namespace: string
  path: string
  /** The folder that holds `path`; '' for `/`. */
  parent: string
  xmlNamespace: string
  name: string
  xml: string
}

export function defineDavProperty(sequelize: Sequelize): ModelStatic<DavPropertyRow> {
  return sequelize.define<DavPropertyRow>(
    'DavProperty',
    {
      namespace: { type: DataTypes.STRING(320), primaryKey: true },
      path: { type: DataTypes.TEXT, primaryKey: true },
      xmlNamespace: { type: DataTypes.TEXT, primaryKey: true },
      name: { type: DataTypes.TEXT, primaryKey: true },
      parent: { type: DataTypes.TEXT, allowNull: false },
      xml: { type: DataTypes.TEXT, allowNull: false },
    },
    { tableName: 'dav_properties', timestamps: false },
  )
}
