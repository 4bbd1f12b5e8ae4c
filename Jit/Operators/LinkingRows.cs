namespace WasmJit.Jit.Operators;

/// <summary>Rows of <see cref="OperatorTable"/>: the runtime-linking extension (its specification, sections 3 and 4).</summary>
internal static class LinkingRows
{
    internal const string Text = """
        0xfa:0x00  ref.module          module        * -> (ref T)                                    runtime-linking  custom  constant,cost:1
        0xfa:0x01  ref.instance        instance      * -> (ref I)                                    runtime-linking  custom  constant,cost:1
        0xfa:0x02  ref.memory          mem           * -> (ref m)                                    runtime-linking  custom  constant,cost:1
        0xfa:0x03  ref.table           table         * -> (ref t)                                    runtime-linking  custom  constant,cost:1
        0xfa:0x04  ref.global          global        * -> (ref g)                                    runtime-linking  custom  constant,cost:1
        0xfa:0x05  ref.tag             tag           * -> (ref e)                                    runtime-linking  custom  constant,cost:1
        0xfa:0x08  compile             mem type      * at at -> (ref T)                              runtime-compile  custom  reads-memory,cost:code
        0xfa:0x09  compile_null        mem type      * at at -> (ref null T)                         runtime-compile  custom  reads-memory,null:compile,cost:code
        0xfa:0x0a  instantiate         type          * arg* (ref null T) -> (ref I)                  runtime-linking  custom  calls,cost:link
        0xfa:0x0b  instantiate_null    type          * arg* (ref null T) -> (ref null I)             runtime-linking  custom  calls,null:instantiate,cost:link
        0xfa:0x0c  instantiate_module  module        * arg* -> (ref (exact M))                       runtime-linking  custom  calls,module:instantiate,cost:link
        0xfa:0x10  get_export          type name     * (ref null I) -> (ref X)                       runtime-linking  custom  cost:name
        0xfa:0x11  get_export_null     mem type      * (ref null instance) at at -> (ref null X)     runtime-linking  custom  reads-memory,null:get_export,cost:bytes
        0xfa:0x12  call_export         module name   * t1* (ref null (exact M)) -> t2*               runtime-linking  custom  calls,cost:values
        0xfa:0x13  return_call_export  module name   * t1* (ref null (exact M)) -> t2*               runtime-linking  custom  calls,ends,cost:values
        0xfa:0x14  memory.new          type          * -> (ref m)                                    runtime-linking  custom  cost:entity
        0xfa:0x15  table.new           type          * element -> (ref t)                            runtime-linking  custom  cost:64+entity
        0xfa:0x16  global.new          type          * value -> (ref g)                              runtime-linking  custom  cost:16
        0xfa:0x18  func.new            mem type scope  * at at -> (ref T)                            runtime-compile  custom  reads-memory,cost:code
        0xfa:0x19  func.new_null       mem type scope  * at at -> (ref null T)                       runtime-compile  custom  reads-memory,null:func.new,cost:code
        0xfa:0x1a  func.new_named      mem type scope  * at at at at -> (ref T)                      runtime-compile  custom  reads-memory,cost:code
        0xfa:0x1b  func.new_named_null mem type scope  * at at at at -> (ref null T)                 runtime-compile  custom  reads-memory,null:func.new_named,cost:code
        0xfa:0x1c  func.optimize       -             * (ref null func) ->                            runtime-compile  custom  cost:16
        0xfa:0x1d  func.is_optimized   -             * (ref null func) -> i32                        runtime-compile  custom  cost:1
        0xfa:0x20  memory.size_ref     type          * ref -> at                                     runtime-linking  custom  reads-memory,ref:memory.size,cost:1
        0xfa:0x21  memory.grow_ref     type          * ref at -> at                                  runtime-linking  custom  reads-memory,writes-memory,ref:memory.grow,cost:pages
        0xfa:0x22  memory.fill_ref     type          * ref at i32 at ->                              runtime-linking  custom  writes-memory,ref:memory.fill,cost:bytes
        0xfa:0x23  memory.copy_ref     type type     * ref at ref at n ->                            runtime-linking  custom  reads-memory,writes-memory,ref:memory.copy,cost:bytes
        0xfa:0x24  memory.init_ref     data type     * ref at i32 i32 ->                             runtime-linking  custom  writes-memory,ref:memory.init,cost:bytes
        0xfa:0x28  table.get_ref       type          * ref at -> element                             runtime-linking  custom  reads-table,ref:table.get,cost:1
        0xfa:0x29  table.set_ref       type          * ref at element ->                             runtime-linking  custom  writes-table,ref:table.set,cost:1
        0xfa:0x2a  table.size_ref      type          * ref -> at                                     runtime-linking  custom  reads-table,ref:table.size,cost:1
        0xfa:0x2b  table.grow_ref      type          * ref element at -> at                          runtime-linking  custom  reads-table,writes-table,ref:table.grow,cost:items
        0xfa:0x2c  table.fill_ref      type          * ref at element at ->                          runtime-linking  custom  writes-table,ref:table.fill,cost:items
        0xfa:0x2d  table.copy_ref      type type     * ref at ref at n ->                            runtime-linking  custom  reads-table,writes-table,ref:table.copy,cost:items
        0xfa:0x2e  table.init_ref      elem type     * ref at i32 i32 ->                             runtime-linking  custom  writes-table,ref:table.init,cost:items
        0xfa:0x2f  call_indirect_ref   type type     * t1* ref at -> t2*                             runtime-linking  custom  calls,reads-table,ref:call_indirect,cost:values
        0xfa:0x30  global.get_ref      type          * ref -> value                                  runtime-linking  custom  reads-global,ref:global.get,cost:1
        0xfa:0x31  global.set_ref      type          * ref value ->                                  runtime-linking  custom  writes-global,ref:global.set,cost:1
        0xfa:0x38  slice.new           mem           * at at -> (ref slice)                          runtime-linking  custom  reads-memory,cost:1
        0xfa:0x39  slice.new_ref       type          * ref at at -> (ref slice)                      runtime-linking  custom  reads-memory,ref:slice.new,cost:1
        0xfa:0x3a  slice.sub           -             * slice i64 i64 -> (ref slice)                  runtime-linking  custom  cost:1
        0xfa:0x3b  slice.readonly      -             * slice -> (ref slice)                          runtime-linking  custom  cost:1
        0xfa:0x3c  slice.len           -             * slice -> i64                                  runtime-linking  custom  cost:1
        0xfa:0x3d  slice.copy          -             * slice i64 slice i64 i64 ->                    runtime-linking  custom  reads-memory,writes-memory,cost:bytes
        0xfa:0x3e  slice.fill          -             * slice i64 i32 i64 ->                          runtime-linking  custom  writes-memory,cost:bytes
        0xfa:0x40  module.drop         -             * (ref null module) ->                          runtime-compile  custom  cost:16
        0xfa:0x41  func.drop           -             * (ref null func) ->                            runtime-compile  custom  cost:16
        0xfa:0x42  code.count          -             * -> i64                                        runtime-compile  custom  cost:1
        0xfa:0x43  code.size           -             * -> i64                                        runtime-compile  custom  cost:1
        """;
}
