namespace WasmJit.Jit;

internal static partial class OperatorTable
{
    /// <summary>The runtime-linking extension (its specification, sections 3 and 4).</summary>
    private const string Linking = """
        0xfa:0x00  ref.module        module          *                  runtime-linking  custom
        0xfa:0x01  ref.instance      instance        *                  runtime-linking  custom
        0xfa:0x02  ref.memory        mem             *                  runtime-linking  custom
        0xfa:0x03  ref.table         table           *                  runtime-linking  custom
        0xfa:0x04  ref.global        global          *                  runtime-linking  custom
        0xfa:0x05  ref.tag           tag             *                  runtime-linking  custom
        0xfa:0x08  compile           mem type        *                  runtime-compile  custom
        0xfa:0x09  compile_null      mem type        *                  runtime-compile  custom
        0xfa:0x0a  instantiate       type            *                  runtime-linking  custom
        0xfa:0x0b  instantiate_null  type            *                  runtime-linking  custom
        0xfa:0x0c  instantiate_module  module        *                  runtime-linking  custom
        0xfa:0x10  get_export        type name       *                  runtime-linking  custom
        0xfa:0x11  get_export_null   mem type        *                  runtime-linking  custom
        0xfa:0x12  call_export       module name     *                  runtime-linking  custom
        0xfa:0x13  return_call_export  module name   *                  runtime-linking  custom
        0xfa:0x14  memory.new        type            *                  runtime-linking  custom
        0xfa:0x15  table.new         type            *                  runtime-linking  custom
        0xfa:0x16  global.new        type            *                  runtime-linking  custom
        0xfa:0x20  memory.size_ref   type            *                  runtime-linking  custom
        0xfa:0x21  memory.grow_ref   type            *                  runtime-linking  custom
        0xfa:0x22  memory.fill_ref   type            *                  runtime-linking  custom
        0xfa:0x23  memory.copy_ref   type type       *                  runtime-linking  custom
        0xfa:0x24  memory.init_ref   data type       *                  runtime-linking  custom
        0xfa:0x28  table.get_ref     type            *                  runtime-linking  custom
        0xfa:0x29  table.set_ref     type            *                  runtime-linking  custom
        0xfa:0x2a  table.size_ref    type            *                  runtime-linking  custom
        0xfa:0x2b  table.grow_ref    type            *                  runtime-linking  custom
        0xfa:0x2c  table.fill_ref    type            *                  runtime-linking  custom
        0xfa:0x2d  table.copy_ref    type type       *                  runtime-linking  custom
        0xfa:0x2e  table.init_ref    elem type       *                  runtime-linking  custom
        0xfa:0x2f  call_indirect_ref type type       *                  runtime-linking  custom
        0xfa:0x30  global.get_ref    type            *                  runtime-linking  custom
        0xfa:0x31  global.set_ref    type            *                  runtime-linking  custom
        0xfa:0x38  slice.new         mem             *                  runtime-linking  custom
        0xfa:0x39  slice.new_ref     type            *                  runtime-linking  custom
        0xfa:0x3a  slice.sub         -               *                  runtime-linking  custom
        0xfa:0x3b  slice.readonly    -               *                  runtime-linking  custom
        0xfa:0x3c  slice.len         -               *                  runtime-linking  custom
        0xfa:0x3d  slice.copy        -               *                  runtime-linking  custom
        0xfa:0x3e  slice.fill        -               *                  runtime-linking  custom
        """;
}
