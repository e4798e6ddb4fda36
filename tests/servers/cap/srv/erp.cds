// The OData v4 interface: who may read what, and how large a page may be.
using { firm as db } from '../db/schema';

@path: '/odata/v4/erp'
@requires: 'reader'
@cds.query.limit: { default: 200, max: 500 }
service Erp {
  @restrict: [{ grant: 'READ' }, { grant: '*', to: 'clerk' }]
  entity BusinessPartners as projection on db.BusinessPartners;
  entity Addresses        as projection on db.Addresses;
  entity Products         as projection on db.Products;
  entity SalesOrders      as projection on db.SalesOrders;
  entity SalesOrderItems  as projection on db.SalesOrderItems;
  entity Invoices         as projection on db.Invoices;
  @restrict: [{ grant: 'READ', to: 'hr' }]
  entity Salaries         as projection on db.Salaries;
}
