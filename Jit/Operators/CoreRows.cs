namespace WasmJit.Jit.Operators;

/// <summary>Rows of <see cref="OperatorTable"/>: the core language. Columns: code, mnemonic, immediates, signature, proposal, emission, traits.</summary>
internal static class CoreRows
{
    internal const string Text = """
        0x00  unreachable          -                 *                  core       custom                 ends,cost:1
        0x01  nop                  -                 ->                 core       custom                 cost:0
        0x02  block                block             *                  core       custom                 opens,cost:1
        0x03  loop                 block             *                  core       custom                 opens,loops,cost:1
        0x04  if                   block             *                  core       custom                 opens,cost:1
        0x05  else                 -                 *                  core       custom                 divides,cost:0+values
        0x06  try                  block             *                  legacy-exceptions  custom         opens,handles,cost:1
        0x07  catch                tag               *                  legacy-exceptions  custom         divides,handles,cost:values
        0x08  throw                tag               *                  exceptions  custom                throws,ends,cost:values
        0x09  rethrow              label             *                  legacy-exceptions  custom         throws,ends,cost:1
        0x0a  throw_ref            -                 *                  exceptions  custom                throws,ends,cost:1
        0x0b  end                  -                 *                  core       custom                 closes,constant,cost:0+values
        0x0c  br                   label             *                  core       custom                 branches,ends,cost:values
        0x0d  br_if                label             *                  core       custom                 branches,cost:values
        0x0e  br_table             labels            *                  core       custom                 branches,ends,cost:values
        0x0f  return               -                 *                  core       custom                 branches,ends,cost:values
        0x10  call                 func              *                  core       custom                 calls,cost:values
        0x11  call_indirect        type table        *                  core       custom                 calls,reads-table,cost:values
        0x12  return_call          func              *                  tail-call  custom                 calls,ends,cost:values
        0x13  return_call_indirect type table        *                  tail-call  custom                 calls,ends,reads-table,cost:values
        0x14  call_ref             type              *                  function-references  custom       calls,cost:values
        0x15  return_call_ref      type              *                  function-references  custom       calls,ends,cost:values
        0x18  delegate             label             *                  legacy-exceptions  custom         closes,handles,cost:values
        0x19  catch_all            -                 *                  legacy-exceptions  custom         divides,handles,cost:1
        0x1a  drop                 -                 *                  core       custom                 cost:1
        0x1b  select               -                 *                  core       custom                 cost:1
        0x1c  select_t             valtypes          *                  reference-types  custom           typed:select,cost:1
        0x1f  try_table            block catches     *                  exceptions  custom                opens,handles,cost:1
        0x20  local.get            local             *                  core       custom                 reads-local,cost:1
        0x21  local.set            local             *                  core       custom                 writes-local,cost:1
        0x22  local.tee            local             *                  core       custom                 writes-local,cost:1
        0x23  global.get           global            *                  core       custom                 reads-global,constant,cost:1
        0x24  global.set           global            *                  core       custom                 writes-global,cost:1
        0x25  table.get            table             *                  reference-types  custom           reads-table,cost:1
        0x26  table.set            table             *                  reference-types  custom           writes-table,cost:1
        0x28  i32.load             memarg:2          at -> i32          core       load:i4                reads-memory
        0x29  i64.load             memarg:3          at -> i64          core       load:i8                reads-memory
        0x2a  f32.load             memarg:2          at -> f32          core       load:r4                reads-memory
        0x2b  f64.load             memarg:3          at -> f64          core       load:r8                reads-memory
        0x2c  i32.load8_s          memarg:0          at -> i32          core       load:i1                reads-memory
        0x2d  i32.load8_u          memarg:0          at -> i32          core       load:u1                reads-memory
        0x2e  i32.load16_s         memarg:1          at -> i32          core       load:i2                reads-memory
        0x2f  i32.load16_u         memarg:1          at -> i32          core       load:u2                reads-memory
        0x30  i64.load8_s          memarg:0          at -> i64          core       load:i1,conv.i8        reads-memory
        0x31  i64.load8_u          memarg:0          at -> i64          core       load:u1,conv.u8        reads-memory
        0x32  i64.load16_s         memarg:1          at -> i64          core       load:i2,conv.i8        reads-memory
        0x33  i64.load16_u         memarg:1          at -> i64          core       load:u2,conv.u8        reads-memory
        0x34  i64.load32_s         memarg:2          at -> i64          core       load:i4,conv.i8        reads-memory
        0x35  i64.load32_u         memarg:2          at -> i64          core       load:u4,conv.u8        reads-memory
        0x36  i32.store            memarg:2          at i32 ->          core       store:i4               writes-memory
        0x37  i64.store            memarg:3          at i64 ->          core       store:i8               writes-memory
        0x38  f32.store            memarg:2          at f32 ->          core       store:r4               writes-memory
        0x39  f64.store            memarg:3          at f64 ->          core       store:r8               writes-memory
        0x3a  i32.store8           memarg:0          at i32 ->          core       store:i1               writes-memory
        0x3b  i32.store16          memarg:1          at i32 ->          core       store:i2               writes-memory
        0x3c  i64.store8           memarg:0          at i64 ->          core       store:i1               writes-memory
        0x3d  i64.store16          memarg:1          at i64 ->          core       store:i2               writes-memory
        0x3e  i64.store32          memarg:2          at i64 ->          core       store:i4               writes-memory
        0x3f  memory.size          mem               -> at              core       custom                 reads-memory,cost:1
        0x40  memory.grow          mem               at -> at           core       custom                 reads-memory,writes-memory,cost:pages
        0x41  i32.const            i32               -> i32             core       custom                 constant,cost:1
        0x42  i64.const            i64               -> i64             core       custom                 constant,cost:1
        0x43  f32.const            f32               -> f32             core       custom                 constant,cost:1
        0x44  f64.const            f64               -> f64             core       custom                 constant,cost:1
        0x45  i32.eqz              -                 i32 -> i32         core       il:ldc.0,ceq  is:compare
        0x46  i32.eq               -                 i32 i32 -> i32     core       il:ceq  is:compare
        0x47  i32.ne               -                 i32 i32 -> i32     core       il:ceq,ldc.0,ceq  is:compare
        0x48  i32.lt_s             -                 i32 i32 -> i32     core       il:clt  is:compare
        0x49  i32.lt_u             -                 i32 i32 -> i32     core       il:clt.un  is:compare
        0x4a  i32.gt_s             -                 i32 i32 -> i32     core       il:cgt  is:compare
        0x4b  i32.gt_u             -                 i32 i32 -> i32     core       il:cgt.un  is:compare
        0x4c  i32.le_s             -                 i32 i32 -> i32     core       il:cgt,ldc.0,ceq  is:compare
        0x4d  i32.le_u             -                 i32 i32 -> i32     core       il:cgt.un,ldc.0,ceq  is:compare
        0x4e  i32.ge_s             -                 i32 i32 -> i32     core       il:clt,ldc.0,ceq  is:compare
        0x4f  i32.ge_u             -                 i32 i32 -> i32     core       il:clt.un,ldc.0,ceq  is:compare
        0x50  i64.eqz              -                 i64 -> i32         core       il:ldc.0,conv.i8,ceq  is:compare
        0x51  i64.eq               -                 i64 i64 -> i32     core       il:ceq  is:compare
        0x52  i64.ne               -                 i64 i64 -> i32     core       il:ceq,ldc.0,ceq  is:compare
        0x53  i64.lt_s             -                 i64 i64 -> i32     core       il:clt  is:compare
        0x54  i64.lt_u             -                 i64 i64 -> i32     core       il:clt.un  is:compare
        0x55  i64.gt_s             -                 i64 i64 -> i32     core       il:cgt  is:compare
        0x56  i64.gt_u             -                 i64 i64 -> i32     core       il:cgt.un  is:compare
        0x57  i64.le_s             -                 i64 i64 -> i32     core       il:cgt,ldc.0,ceq  is:compare
        0x58  i64.le_u             -                 i64 i64 -> i32     core       il:cgt.un,ldc.0,ceq  is:compare
        0x59  i64.ge_s             -                 i64 i64 -> i32     core       il:clt,ldc.0,ceq  is:compare
        0x5a  i64.ge_u             -                 i64 i64 -> i32     core       il:clt.un,ldc.0,ceq  is:compare
        0x5b  f32.eq               -                 f32 f32 -> i32     core       il:ceq  is:compare
        0x5c  f32.ne               -                 f32 f32 -> i32     core       il:ceq,ldc.0,ceq  is:compare
        0x5d  f32.lt               -                 f32 f32 -> i32     core       il:clt  is:compare
        0x5e  f32.gt               -                 f32 f32 -> i32     core       il:cgt  is:compare
        0x5f  f32.le               -                 f32 f32 -> i32     core       il:cgt.un,ldc.0,ceq  is:compare
        0x60  f32.ge               -                 f32 f32 -> i32     core       il:clt.un,ldc.0,ceq  is:compare
        0x61  f64.eq               -                 f64 f64 -> i32     core       il:ceq  is:compare
        0x62  f64.ne               -                 f64 f64 -> i32     core       il:ceq,ldc.0,ceq  is:compare
        0x63  f64.lt               -                 f64 f64 -> i32     core       il:clt  is:compare
        0x64  f64.gt               -                 f64 f64 -> i32     core       il:cgt  is:compare
        0x65  f64.le               -                 f64 f64 -> i32     core       il:cgt.un,ldc.0,ceq  is:compare
        0x66  f64.ge               -                 f64 f64 -> i32     core       il:clt.un,ldc.0,ceq  is:compare
        0x67  i32.clz              -                 i32 -> i32         core       call:Integers.Clz32  is:none
        0x68  i32.ctz              -                 i32 -> i32         core       call:Integers.Ctz32  is:none
        0x69  i32.popcnt           -                 i32 -> i32         core       call:Integers.Popcnt32  is:none
        0x6a  i32.add              -                 i32 i32 -> i32     core       il:add                 constant,is:add
        0x6b  i32.sub              -                 i32 i32 -> i32     core       il:sub                 constant,is:sub
        0x6c  i32.mul              -                 i32 i32 -> i32     core       il:mul                 constant,is:mul
        0x6d  i32.div_s            -                 i32 i32 -> i32     core       call:Integers.DivS32  is:div
        0x6e  i32.div_u            -                 i32 i32 -> i32     core       call:Integers.DivU32  is:div
        0x6f  i32.rem_s            -                 i32 i32 -> i32     core       call:Integers.RemS32  is:rem
        0x70  i32.rem_u            -                 i32 i32 -> i32     core       call:Integers.RemU32  is:rem
        0x71  i32.and              -                 i32 i32 -> i32     core       il:and  is:and
        0x72  i32.or               -                 i32 i32 -> i32     core       il:or  is:or
        0x73  i32.xor              -                 i32 i32 -> i32     core       il:xor  is:xor
        0x74  i32.shl              -                 i32 i32 -> i32     core       il:ldc.31,and,shl  is:shl
        0x75  i32.shr_s            -                 i32 i32 -> i32     core       il:ldc.31,and,shr  is:shr-s
        0x76  i32.shr_u            -                 i32 i32 -> i32     core       il:ldc.31,and,shr.un  is:shr-u
        0x77  i32.rotl             -                 i32 i32 -> i32     core       call:Integers.Rotl32  is:rotate
        0x78  i32.rotr             -                 i32 i32 -> i32     core       call:Integers.Rotr32  is:rotate
        0x79  i64.clz              -                 i64 -> i64         core       call:Integers.Clz64  is:none
        0x7a  i64.ctz              -                 i64 -> i64         core       call:Integers.Ctz64  is:none
        0x7b  i64.popcnt           -                 i64 -> i64         core       call:Integers.Popcnt64  is:none
        0x7c  i64.add              -                 i64 i64 -> i64     core       il:add                 constant,is:add
        0x7d  i64.sub              -                 i64 i64 -> i64     core       il:sub                 constant,is:sub
        0x7e  i64.mul              -                 i64 i64 -> i64     core       il:mul                 constant,is:mul
        0x7f  i64.div_s            -                 i64 i64 -> i64     core       call:Integers.DivS64  is:div
        0x80  i64.div_u            -                 i64 i64 -> i64     core       call:Integers.DivU64  is:div
        0x81  i64.rem_s            -                 i64 i64 -> i64     core       call:Integers.RemS64  is:rem
        0x82  i64.rem_u            -                 i64 i64 -> i64     core       call:Integers.RemU64  is:rem
        0x83  i64.and              -                 i64 i64 -> i64     core       il:and  is:and
        0x84  i64.or               -                 i64 i64 -> i64     core       il:or  is:or
        0x85  i64.xor              -                 i64 i64 -> i64     core       il:xor  is:xor
        0x86  i64.shl              -                 i64 i64 -> i64     core       il:conv.i4,ldc.63,and,shl  is:shl
        0x87  i64.shr_s            -                 i64 i64 -> i64     core       il:conv.i4,ldc.63,and,shr  is:shr-s
        0x88  i64.shr_u            -                 i64 i64 -> i64     core       il:conv.i4,ldc.63,and,shr.un  is:shr-u
        0x89  i64.rotl             -                 i64 i64 -> i64     core       call:Integers.Rotl64  is:rotate
        0x8a  i64.rotr             -                 i64 i64 -> i64     core       call:Integers.Rotr64  is:rotate
        0x8b  f32.abs              -                 f32 -> f32         core       call:Floats.Abs32  is:sign
        0x8c  f32.neg              -                 f32 -> f32         core       call:Floats.Neg32  is:sign
        0x8d  f32.ceil             -                 f32 -> f32         core       call:Floats.Ceil32  is:none
        0x8e  f32.floor            -                 f32 -> f32         core       call:Floats.Floor32  is:none
        0x8f  f32.trunc            -                 f32 -> f32         core       call:Floats.Trunc32  is:none
        0x90  f32.nearest          -                 f32 -> f32         core       call:Floats.Nearest32  is:none
        0x91  f32.sqrt             -                 f32 -> f32         core       call:Floats.Sqrt32  is:none
        0x92  f32.add              -                 f32 f32 -> f32     core       il:add  is:add
        0x93  f32.sub              -                 f32 f32 -> f32     core       il:sub  is:sub
        0x94  f32.mul              -                 f32 f32 -> f32     core       il:mul  is:mul
        0x95  f32.div              -                 f32 f32 -> f32     core       il:div  is:div
        0x96  f32.min              -                 f32 f32 -> f32     core       call:Floats.Min32  is:none
        0x97  f32.max              -                 f32 f32 -> f32     core       call:Floats.Max32  is:none
        0x98  f32.copysign         -                 f32 f32 -> f32     core       call:Floats.Copysign32  is:sign
        0x99  f64.abs              -                 f64 -> f64         core       call:Floats.Abs64  is:sign
        0x9a  f64.neg              -                 f64 -> f64         core       call:Floats.Neg64  is:sign
        0x9b  f64.ceil             -                 f64 -> f64         core       call:Floats.Ceil64  is:none
        0x9c  f64.floor            -                 f64 -> f64         core       call:Floats.Floor64  is:none
        0x9d  f64.trunc            -                 f64 -> f64         core       call:Floats.Trunc64  is:none
        0x9e  f64.nearest          -                 f64 -> f64         core       call:Floats.Nearest64  is:none
        0x9f  f64.sqrt             -                 f64 -> f64         core       call:Floats.Sqrt64  is:none
        0xa0  f64.add              -                 f64 f64 -> f64     core       il:add  is:add
        0xa1  f64.sub              -                 f64 f64 -> f64     core       il:sub  is:sub
        0xa2  f64.mul              -                 f64 f64 -> f64     core       il:mul  is:mul
        0xa3  f64.div              -                 f64 f64 -> f64     core       il:div  is:div
        0xa4  f64.min              -                 f64 f64 -> f64     core       call:Floats.Min64  is:none
        0xa5  f64.max              -                 f64 f64 -> f64     core       call:Floats.Max64  is:none
        0xa6  f64.copysign         -                 f64 f64 -> f64     core       call:Floats.Copysign64  is:sign
        0xa7  i32.wrap_i64         -                 i64 -> i32         core       il:conv.i4  is:narrow32
        0xa8  i32.trunc_f32_s      -                 f32 -> i32         core       call:Conversions.I32TruncF32S  is:none
        0xa9  i32.trunc_f32_u      -                 f32 -> i32         core       call:Conversions.I32TruncF32U  is:none
        0xaa  i32.trunc_f64_s      -                 f64 -> i32         core       call:Conversions.I32TruncF64S  is:none
        0xab  i32.trunc_f64_u      -                 f64 -> i32         core       call:Conversions.I32TruncF64U  is:none
        0xac  i64.extend_i32_s     -                 i32 -> i64         core       il:conv.i8
        0xad  i64.extend_i32_u     -                 i32 -> i64         core       il:conv.u8
        0xae  i64.trunc_f32_s      -                 f32 -> i64         core       call:Conversions.I64TruncF32S  is:none
        0xaf  i64.trunc_f32_u      -                 f32 -> i64         core       call:Conversions.I64TruncF32U  is:none
        0xb0  i64.trunc_f64_s      -                 f64 -> i64         core       call:Conversions.I64TruncF64S  is:none
        0xb1  i64.trunc_f64_u      -                 f64 -> i64         core       call:Conversions.I64TruncF64U  is:none
        0xb2  f32.convert_i32_s    -                 i32 -> f32         core       il:conv.r4
        0xb3  f32.convert_i32_u    -                 i32 -> f32         core       call:Conversions.F32ConvertI32U  is:none
        0xb4  f32.convert_i64_s    -                 i64 -> f32         core       call:Conversions.F32ConvertI64S  is:none
        0xb5  f32.convert_i64_u    -                 i64 -> f32         core       call:Conversions.F32ConvertI64U  is:none
        0xb6  f32.demote_f64       -                 f64 -> f32         core       il:conv.r4  is:demote
        0xb7  f64.convert_i32_s    -                 i32 -> f64         core       il:conv.r8
        0xb8  f64.convert_i32_u    -                 i32 -> f64         core       il:conv.r.un,conv.r8
        0xb9  f64.convert_i64_s    -                 i64 -> f64         core       il:conv.r8
        0xba  f64.convert_i64_u    -                 i64 -> f64         core       call:Conversions.F64ConvertI64U  is:none
        0xbb  f64.promote_f32      -                 f32 -> f64         core       il:conv.r8  is:promote
        0xbc  i32.reinterpret_f32  -                 f32 -> i32         core       call:Conversions.I32ReinterpretF32  is:reinterpret
        0xbd  i64.reinterpret_f64  -                 f64 -> i64         core       call:Conversions.I64ReinterpretF64  is:reinterpret
        0xbe  f32.reinterpret_i32  -                 i32 -> f32         core       call:Conversions.F32ReinterpretI32  is:reinterpret
        0xbf  f64.reinterpret_i64  -                 i64 -> f64         core       call:Conversions.F64ReinterpretI64  is:reinterpret
        0xc0  i32.extend8_s        -                 i32 -> i32         sign-extension  il:conv.i1  is:narrow8
        0xc1  i32.extend16_s       -                 i32 -> i32         sign-extension  il:conv.i2  is:narrow16
        0xc2  i64.extend8_s        -                 i64 -> i64         sign-extension  il:conv.i1,conv.i8  is:narrow8
        0xc3  i64.extend16_s       -                 i64 -> i64         sign-extension  il:conv.i2,conv.i8  is:narrow16
        0xc4  i64.extend32_s       -                 i64 -> i64         sign-extension  il:conv.i4,conv.i8  is:narrow32
        0xd0  ref.null             heaptype          *                  reference-types  custom           constant,cost:1
        0xd1  ref.is_null          -                 *                  reference-types  custom           cost:1
        0xd2  ref.func             func              *                  reference-types  custom           constant,cost:1
        0xd3  ref.eq               -                 eqref eqref -> i32  gc        custom                 cost:1
        0xd4  ref.as_non_null      -                 *                  function-references  custom       cost:1
        0xd5  br_on_null           label             *                  function-references  custom       branches,cost:values
        0xd6  br_on_non_null       label             *                  function-references  custom       branches,cost:values
        0xfc:0   i32.trunc_sat_f32_s  -              f32 -> i32         sat-float-to-int  call:Conversions.I32TruncSatF32S  is:none
        0xfc:1   i32.trunc_sat_f32_u  -              f32 -> i32         sat-float-to-int  call:Conversions.I32TruncSatF32U  is:none
        0xfc:2   i32.trunc_sat_f64_s  -              f64 -> i32         sat-float-to-int  call:Conversions.I32TruncSatF64S  is:none
        0xfc:3   i32.trunc_sat_f64_u  -              f64 -> i32         sat-float-to-int  call:Conversions.I32TruncSatF64U  is:none
        0xfc:4   i64.trunc_sat_f32_s  -              f32 -> i64         sat-float-to-int  call:Conversions.I64TruncSatF32S  is:none
        0xfc:5   i64.trunc_sat_f32_u  -              f32 -> i64         sat-float-to-int  call:Conversions.I64TruncSatF32U  is:none
        0xfc:6   i64.trunc_sat_f64_s  -              f64 -> i64         sat-float-to-int  call:Conversions.I64TruncSatF64S  is:none
        0xfc:7   i64.trunc_sat_f64_u  -              f64 -> i64         sat-float-to-int  call:Conversions.I64TruncSatF64U  is:none
        0xfc:8   memory.init       data mem          *                  bulk-memory  custom               writes-memory,cost:bytes
        0xfc:9   data.drop         data              *                  bulk-memory  custom               cost:1
        0xfc:10  memory.copy       mem mem           *                  bulk-memory  custom               reads-memory,writes-memory,cost:bytes
        0xfc:11  memory.fill       mem               at i32 at ->       bulk-memory  custom               writes-memory,cost:bytes
        0xfc:12  table.init        elem table        *                  bulk-memory  custom               writes-table,cost:items
        0xfc:13  elem.drop         elem              *                  bulk-memory  custom               cost:1
        0xfc:14  table.copy        table table       *                  bulk-memory  custom               reads-table,writes-table,cost:items
        0xfc:15  table.grow        table             *                  reference-types  custom           reads-table,writes-table,cost:items
        0xfc:16  table.size        table             *                  reference-types  custom           reads-table,cost:1
        0xfc:17  table.fill        table             *                  reference-types  custom           writes-table,cost:items
        0xfc:19  i64.add128        -                 i64 i64 i64 i64 -> i64 i64  wide-arithmetic  custom  cost:1
        0xfc:20  i64.sub128        -                 i64 i64 i64 i64 -> i64 i64  wide-arithmetic  custom  cost:1
        0xfc:21  i64.mul_wide_s    -                 i64 i64 -> i64 i64  wide-arithmetic  custom          cost:1
        0xfc:22  i64.mul_wide_u    -                 i64 i64 -> i64 i64  wide-arithmetic  custom          cost:1
        """;
}
