namespace WasmJit.Jit.Operators;

/// <summary>Rows of <see cref="OperatorTable"/>: SIMD and relaxed SIMD.</summary>
internal static class SimdRows
{
    internal const string Text = """
        0xfd:0    v128.load                            memarg:4          at -> v128              simd          load:v128  reads-memory
        0xfd:1    v128.load8x8_s                       memarg:3          at -> v128              simd          call:Simd.V128Load8x8S  reads-memory
        0xfd:2    v128.load8x8_u                       memarg:3          at -> v128              simd          call:Simd.V128Load8x8U  reads-memory
        0xfd:3    v128.load16x4_s                      memarg:3          at -> v128              simd          call:Simd.V128Load16x4S  reads-memory
        0xfd:4    v128.load16x4_u                      memarg:3          at -> v128              simd          call:Simd.V128Load16x4U  reads-memory
        0xfd:5    v128.load32x2_s                      memarg:3          at -> v128              simd          call:Simd.V128Load32x2S  reads-memory
        0xfd:6    v128.load32x2_u                      memarg:3          at -> v128              simd          call:Simd.V128Load32x2U  reads-memory
        0xfd:7    v128.load8_splat                     memarg:0          at -> v128              simd          call:Simd.V128Load8Splat  reads-memory
        0xfd:8    v128.load16_splat                    memarg:1          at -> v128              simd          call:Simd.V128Load16Splat  reads-memory
        0xfd:9    v128.load32_splat                    memarg:2          at -> v128              simd          call:Simd.V128Load32Splat  reads-memory
        0xfd:10   v128.load64_splat                    memarg:3          at -> v128              simd          call:Simd.V128Load64Splat  reads-memory
        0xfd:11   v128.store                           memarg:4          at v128 ->              simd          store:v128  writes-memory
        0xfd:12   v128.const                           v128              -> v128                 simd          custom  constant,cost:1
        0xfd:13   i8x16.shuffle                        lanes16           v128 v128 -> v128       simd          custom  cost:1
        0xfd:14   i8x16.swizzle                        -                 v128 v128 -> v128       simd          call:Simd.I8x16Swizzle  lanes:i8x16,is:none
        0xfd:15   i8x16.splat                          -                 i32 -> v128             simd          vec:Create:i1  is:splat,lanes:i8x16
        0xfd:16   i16x8.splat                          -                 i32 -> v128             simd          vec:Create:i2  is:splat,lanes:i16x8
        0xfd:17   i32x4.splat                          -                 i32 -> v128             simd          vec:Create:i4  is:splat,lanes:i32x4
        0xfd:18   i64x2.splat                          -                 i64 -> v128             simd          vec:Create:i8  is:splat,lanes:i64x2
        0xfd:19   f32x4.splat                          -                 f32 -> v128             simd          vec:Create:r4  is:splat,lanes:f32x4
        0xfd:20   f64x2.splat                          -                 f64 -> v128             simd          vec:Create:r8  is:splat,lanes:f64x2
        0xfd:21   i8x16.extract_lane_s                 lane:16           v128 -> i32             simd          vec:GetElement:i1  is:extract-lane,lanes:i8x16,signed
        0xfd:22   i8x16.extract_lane_u                 lane:16           v128 -> i32             simd          vec:GetElement:u1  is:extract-lane,lanes:i8x16,unsigned
        0xfd:23   i8x16.replace_lane                   lane:16           v128 i32 -> v128        simd          vec:WithElement:i1  is:replace-lane,lanes:i8x16
        0xfd:24   i16x8.extract_lane_s                 lane:8            v128 -> i32             simd          vec:GetElement:i2  is:extract-lane,lanes:i16x8,signed
        0xfd:25   i16x8.extract_lane_u                 lane:8            v128 -> i32             simd          vec:GetElement:u2  is:extract-lane,lanes:i16x8,unsigned
        0xfd:26   i16x8.replace_lane                   lane:8            v128 i32 -> v128        simd          vec:WithElement:i2  is:replace-lane,lanes:i16x8
        0xfd:27   i32x4.extract_lane                   lane:4            v128 -> i32             simd          vec:GetElement:i4  is:extract-lane,lanes:i32x4
        0xfd:28   i32x4.replace_lane                   lane:4            v128 i32 -> v128        simd          vec:WithElement:i4  is:replace-lane,lanes:i32x4
        0xfd:29   i64x2.extract_lane                   lane:2            v128 -> i64             simd          vec:GetElement:i8  is:extract-lane,lanes:i64x2
        0xfd:30   i64x2.replace_lane                   lane:2            v128 i64 -> v128        simd          vec:WithElement:i8  is:replace-lane,lanes:i64x2
        0xfd:31   f32x4.extract_lane                   lane:4            v128 -> f32             simd          vec:GetElement:r4  is:extract-lane,lanes:f32x4
        0xfd:32   f32x4.replace_lane                   lane:4            v128 f32 -> v128        simd          vec:WithElement:r4  is:replace-lane,lanes:f32x4
        0xfd:33   f64x2.extract_lane                   lane:2            v128 -> f64             simd          vec:GetElement:r8  is:extract-lane,lanes:f64x2
        0xfd:34   f64x2.replace_lane                   lane:2            v128 f64 -> v128        simd          vec:WithElement:r8  is:replace-lane,lanes:f64x2
        0xfd:35   i8x16.eq                             -                 v128 v128 -> v128       simd          vec:Equals:i1  lanes:i8x16,is:none
        0xfd:36   i8x16.ne                             -                 v128 v128 -> v128       simd          vec:Equals:i1,OnesComplement:i1  lanes:i8x16,is:none
        0xfd:37   i8x16.lt_s                           -                 v128 v128 -> v128       simd          vec:LessThan:i1  lanes:i8x16,is:none
        0xfd:38   i8x16.lt_u                           -                 v128 v128 -> v128       simd          vec:LessThan:u1  lanes:i8x16,absorbs,is:none
        0xfd:39   i8x16.gt_s                           -                 v128 v128 -> v128       simd          vec:GreaterThan:i1  lanes:i8x16,is:none
        0xfd:40   i8x16.gt_u                           -                 v128 v128 -> v128       simd          vec:GreaterThan:u1  lanes:i8x16,absorbs,is:none
        0xfd:41   i8x16.le_s                           -                 v128 v128 -> v128       simd          vec:LessThanOrEqual:i1  lanes:i8x16,is:none
        0xfd:42   i8x16.le_u                           -                 v128 v128 -> v128       simd          vec:LessThanOrEqual:u1  lanes:i8x16,absorbs,is:none
        0xfd:43   i8x16.ge_s                           -                 v128 v128 -> v128       simd          vec:GreaterThanOrEqual:i1  lanes:i8x16,is:none
        0xfd:44   i8x16.ge_u                           -                 v128 v128 -> v128       simd          vec:GreaterThanOrEqual:u1  lanes:i8x16,absorbs,is:none
        0xfd:45   i16x8.eq                             -                 v128 v128 -> v128       simd          vec:Equals:i2  lanes:i16x8,is:none
        0xfd:46   i16x8.ne                             -                 v128 v128 -> v128       simd          vec:Equals:i2,OnesComplement:i2  lanes:i16x8,is:none
        0xfd:47   i16x8.lt_s                           -                 v128 v128 -> v128       simd          vec:LessThan:i2  lanes:i16x8,is:none
        0xfd:48   i16x8.lt_u                           -                 v128 v128 -> v128       simd          vec:LessThan:u2  lanes:i16x8,absorbs,is:none
        0xfd:49   i16x8.gt_s                           -                 v128 v128 -> v128       simd          vec:GreaterThan:i2  lanes:i16x8,is:none
        0xfd:50   i16x8.gt_u                           -                 v128 v128 -> v128       simd          vec:GreaterThan:u2  lanes:i16x8,absorbs,is:none
        0xfd:51   i16x8.le_s                           -                 v128 v128 -> v128       simd          vec:LessThanOrEqual:i2  lanes:i16x8,is:none
        0xfd:52   i16x8.le_u                           -                 v128 v128 -> v128       simd          vec:LessThanOrEqual:u2  lanes:i16x8,absorbs,is:none
        0xfd:53   i16x8.ge_s                           -                 v128 v128 -> v128       simd          vec:GreaterThanOrEqual:i2  lanes:i16x8,is:none
        0xfd:54   i16x8.ge_u                           -                 v128 v128 -> v128       simd          vec:GreaterThanOrEqual:u2  lanes:i16x8,absorbs,is:none
        0xfd:55   i32x4.eq                             -                 v128 v128 -> v128       simd          vec:Equals:i4  lanes:i32x4,is:none
        0xfd:56   i32x4.ne                             -                 v128 v128 -> v128       simd          vec:Equals:i4,OnesComplement:i4  lanes:i32x4,is:none
        0xfd:57   i32x4.lt_s                           -                 v128 v128 -> v128       simd          vec:LessThan:i4  lanes:i32x4,is:none
        0xfd:58   i32x4.lt_u                           -                 v128 v128 -> v128       simd          vec:LessThan:u4  lanes:i32x4,absorbs,is:none
        0xfd:59   i32x4.gt_s                           -                 v128 v128 -> v128       simd          vec:GreaterThan:i4  lanes:i32x4,is:none
        0xfd:60   i32x4.gt_u                           -                 v128 v128 -> v128       simd          vec:GreaterThan:u4  lanes:i32x4,absorbs,is:none
        0xfd:61   i32x4.le_s                           -                 v128 v128 -> v128       simd          vec:LessThanOrEqual:i4  lanes:i32x4,is:none
        0xfd:62   i32x4.le_u                           -                 v128 v128 -> v128       simd          vec:LessThanOrEqual:u4  lanes:i32x4,absorbs,is:none
        0xfd:63   i32x4.ge_s                           -                 v128 v128 -> v128       simd          vec:GreaterThanOrEqual:i4  lanes:i32x4,is:none
        0xfd:64   i32x4.ge_u                           -                 v128 v128 -> v128       simd          vec:GreaterThanOrEqual:u4  lanes:i32x4,absorbs,is:none
        0xfd:65   f32x4.eq                             -                 v128 v128 -> v128       simd          vec:Equals:r4  lanes:f32x4,is:none
        0xfd:66   f32x4.ne                             -                 v128 v128 -> v128       simd          vec:Equals:r4,OnesComplement:r4  lanes:f32x4,is:none
        0xfd:67   f32x4.lt                             -                 v128 v128 -> v128       simd          vec:LessThan:r4  lanes:f32x4,is:none
        0xfd:68   f32x4.gt                             -                 v128 v128 -> v128       simd          vec:GreaterThan:r4  lanes:f32x4,is:none
        0xfd:69   f32x4.le                             -                 v128 v128 -> v128       simd          vec:LessThanOrEqual:r4  lanes:f32x4,is:none
        0xfd:70   f32x4.ge                             -                 v128 v128 -> v128       simd          vec:GreaterThanOrEqual:r4  lanes:f32x4,is:none
        0xfd:71   f64x2.eq                             -                 v128 v128 -> v128       simd          vec:Equals:r8  lanes:f64x2,is:none
        0xfd:72   f64x2.ne                             -                 v128 v128 -> v128       simd          vec:Equals:r8,OnesComplement:r8  lanes:f64x2,is:none
        0xfd:73   f64x2.lt                             -                 v128 v128 -> v128       simd          vec:LessThan:r8  lanes:f64x2,is:none
        0xfd:74   f64x2.gt                             -                 v128 v128 -> v128       simd          vec:GreaterThan:r8  lanes:f64x2,is:none
        0xfd:75   f64x2.le                             -                 v128 v128 -> v128       simd          vec:LessThanOrEqual:r8  lanes:f64x2,is:none
        0xfd:76   f64x2.ge                             -                 v128 v128 -> v128       simd          vec:GreaterThanOrEqual:r8  lanes:f64x2,is:none
        0xfd:77   v128.not                             -                 v128 -> v128            simd          vec:OnesComplement:u1  is:none
        0xfd:78   v128.and                             -                 v128 v128 -> v128       simd          vec:BitwiseAnd:u1  absorbs,is:none
        0xfd:79   v128.andnot                          -                 v128 v128 -> v128       simd          vec:AndNot:u1  absorbs,is:none
        0xfd:80   v128.or                              -                 v128 v128 -> v128       simd          vec:BitwiseOr:u1  absorbs,is:none
        0xfd:81   v128.xor                             -                 v128 v128 -> v128       simd          vec:Xor:u1  is:none
        0xfd:82   v128.bitselect                       -                 v128 v128 v128 -> v128  simd          call:Simd.V128Bitselect  absorbs,is:none
        0xfd:83   v128.any_true                        -                 v128 -> i32             simd          call:Simd.V128AnyTrue  is:none
        0xfd:84   v128.load8_lane                      memarg:0 lane:16  at v128 -> v128         simd          call:Simd.V128Load8Lane  reads-memory
        0xfd:85   v128.load16_lane                     memarg:1 lane:8   at v128 -> v128         simd          call:Simd.V128Load16Lane  reads-memory
        0xfd:86   v128.load32_lane                     memarg:2 lane:4   at v128 -> v128         simd          call:Simd.V128Load32Lane  reads-memory
        0xfd:87   v128.load64_lane                     memarg:3 lane:2   at v128 -> v128         simd          call:Simd.V128Load64Lane  reads-memory
        0xfd:88   v128.store8_lane                     memarg:0 lane:16  at v128 ->              simd          store:i1  writes-memory
        0xfd:89   v128.store16_lane                    memarg:1 lane:8   at v128 ->              simd          store:i2  writes-memory
        0xfd:90   v128.store32_lane                    memarg:2 lane:4   at v128 ->              simd          store:i4  writes-memory
        0xfd:91   v128.store64_lane                    memarg:3 lane:2   at v128 ->              simd          store:i8  writes-memory
        0xfd:92   v128.load32_zero                     memarg:2          at -> v128              simd          call:Simd.V128Load32Zero  reads-memory
        0xfd:93   v128.load64_zero                     memarg:3          at -> v128              simd          call:Simd.V128Load64Zero  reads-memory
        0xfd:94   f32x4.demote_f64x2_zero              -                 v128 -> v128            simd          call:Simd.F32x4DemoteF64x2Zero  lanes:f64x2,is:none
        0xfd:95   f64x2.promote_low_f32x4              -                 v128 -> v128            simd          vec:WidenLower:r4  lanes:f32x4,reads-low,is:none
        0xfd:96   i8x16.abs                            -                 v128 -> v128            simd          vec:Abs:i1  lanes:i8x16,is:none
        0xfd:97   i8x16.neg                            -                 v128 -> v128            simd          vec:Negate:i1  lanes:i8x16,is:none
        0xfd:98   i8x16.popcnt                         -                 v128 -> v128            simd          call:Simd.I8x16Popcnt  lanes:i8x16,is:none
        0xfd:99   i8x16.all_true                       -                 v128 -> i32             simd          call:Simd.I8x16AllTrue  lanes:i8x16,is:none
        0xfd:100  i8x16.bitmask                        -                 v128 -> i32             simd          vec:ExtractMostSignificantBits:i1  lanes:i8x16,is:none
        0xfd:101  i8x16.narrow_i16x8_s                 -                 v128 v128 -> v128       simd          vec:NarrowWithSaturation:i2  lanes:i8x16,is:none
        0xfd:102  i8x16.narrow_i16x8_u                 -                 v128 v128 -> v128       simd          call:Simd.I8x16NarrowI16x8U  lanes:i8x16,absorbs,is:none
        0xfd:103  f32x4.ceil                           -                 v128 -> v128            simd          vec:Ceiling:r4  lanes:f32x4,is:none
        0xfd:104  f32x4.floor                          -                 v128 -> v128            simd          vec:Floor:r4  lanes:f32x4,is:none
        0xfd:105  f32x4.trunc                          -                 v128 -> v128            simd          vec:Truncate:r4  lanes:f32x4,is:none
        0xfd:106  f32x4.nearest                        -                 v128 -> v128            simd          vec:Round:r4  lanes:f32x4,is:none
        0xfd:107  i8x16.shl                            -                 v128 i32 -> v128        simd          vec:ShiftLeft:i1  is:shl,lanes:i8x16
        0xfd:108  i8x16.shr_s                          -                 v128 i32 -> v128        simd          call:Simd.I8x16ShrS  is:shr-s,lanes:i8x16
        0xfd:109  i8x16.shr_u                          -                 v128 i32 -> v128        simd          vec:ShiftRightLogical:u1  is:shr-u,lanes:i8x16,absorbs
        0xfd:110  i8x16.add                            -                 v128 v128 -> v128       simd          vec:Add:i1  is:add,lanes:i8x16
        0xfd:111  i8x16.add_sat_s                      -                 v128 v128 -> v128       simd          vec:AddSaturate:i1  lanes:i8x16,is:none
        0xfd:112  i8x16.add_sat_u                      -                 v128 v128 -> v128       simd          vec:AddSaturate:u1  lanes:i8x16,absorbs,is:none
        0xfd:113  i8x16.sub                            -                 v128 v128 -> v128       simd          vec:Subtract:i1  is:sub,lanes:i8x16
        0xfd:114  i8x16.sub_sat_s                      -                 v128 v128 -> v128       simd          vec:SubtractSaturate:i1  lanes:i8x16,is:none
        0xfd:115  i8x16.sub_sat_u                      -                 v128 v128 -> v128       simd          vec:SubtractSaturate:u1  lanes:i8x16,absorbs,is:none
        0xfd:116  f64x2.ceil                           -                 v128 -> v128            simd          vec:Ceiling:r8  lanes:f64x2,is:none
        0xfd:117  f64x2.floor                          -                 v128 -> v128            simd          vec:Floor:r8  lanes:f64x2,is:none
        0xfd:118  i8x16.min_s                          -                 v128 v128 -> v128       simd          vec:Min:i1  lanes:i8x16,is:none
        0xfd:119  i8x16.min_u                          -                 v128 v128 -> v128       simd          vec:Min:u1  lanes:i8x16,absorbs,is:none
        0xfd:120  i8x16.max_s                          -                 v128 v128 -> v128       simd          vec:Max:i1  lanes:i8x16,is:none
        0xfd:121  i8x16.max_u                          -                 v128 v128 -> v128       simd          vec:Max:u1  lanes:i8x16,absorbs,is:none
        0xfd:122  f64x2.trunc                          -                 v128 -> v128            simd          vec:Truncate:r8  lanes:f64x2,is:none
        0xfd:123  i8x16.avgr_u                         -                 v128 v128 -> v128       simd          call:Simd.I8x16AvgrU  lanes:i8x16,absorbs,is:none
        0xfd:124  i16x8.extadd_pairwise_i8x16_s        -                 v128 -> v128            simd          call:Simd.I16x8ExtaddPairwiseI8x16S  lanes:i16x8,is:none
        0xfd:125  i16x8.extadd_pairwise_i8x16_u        -                 v128 -> v128            simd          call:Simd.I16x8ExtaddPairwiseI8x16U  lanes:i16x8,absorbs,is:none
        0xfd:126  i32x4.extadd_pairwise_i16x8_s        -                 v128 -> v128            simd          call:Simd.I32x4ExtaddPairwiseI16x8S  lanes:i32x4,is:none
        0xfd:127  i32x4.extadd_pairwise_i16x8_u        -                 v128 -> v128            simd          call:Simd.I32x4ExtaddPairwiseI16x8U  lanes:i32x4,absorbs,is:none
        0xfd:128  i16x8.abs                            -                 v128 -> v128            simd          vec:Abs:i2  lanes:i16x8,is:none
        0xfd:129  i16x8.neg                            -                 v128 -> v128            simd          vec:Negate:i2  lanes:i16x8,is:none
        0xfd:130  i16x8.q15mulr_sat_s                  -                 v128 v128 -> v128       simd          call:Simd.I16x8Q15mulrSatS  lanes:i16x8,is:none
        0xfd:131  i16x8.all_true                       -                 v128 -> i32             simd          call:Simd.I16x8AllTrue  lanes:i16x8,is:none
        0xfd:132  i16x8.bitmask                        -                 v128 -> i32             simd          vec:ExtractMostSignificantBits:i2  lanes:i16x8,is:none
        0xfd:133  i16x8.narrow_i32x4_s                 -                 v128 v128 -> v128       simd          vec:NarrowWithSaturation:i4  lanes:i16x8,is:none
        0xfd:134  i16x8.narrow_i32x4_u                 -                 v128 v128 -> v128       simd          call:Simd.I16x8NarrowI32x4U  lanes:i16x8,absorbs,is:none
        0xfd:135  i16x8.extend_low_i8x16_s             -                 v128 -> v128            simd          vec:WidenLower:i1  lanes:i16x8,reads-low,is:none
        0xfd:136  i16x8.extend_high_i8x16_s            -                 v128 -> v128            simd          vec:WidenUpper:i1  lanes:i16x8,is:none
        0xfd:137  i16x8.extend_low_i8x16_u             -                 v128 -> v128            simd          vec:WidenLower:u1  lanes:i16x8,reads-low,is:none
        0xfd:138  i16x8.extend_high_i8x16_u            -                 v128 -> v128            simd          call:Simd.I16x8ExtendHighI8x16U  lanes:i16x8,absorbs,is:none
        0xfd:139  i16x8.shl                            -                 v128 i32 -> v128        simd          vec:ShiftLeft:i2  is:shl,lanes:i16x8
        0xfd:140  i16x8.shr_s                          -                 v128 i32 -> v128        simd          vec:ShiftRightArithmetic:i2  is:shr-s,lanes:i16x8
        0xfd:141  i16x8.shr_u                          -                 v128 i32 -> v128        simd          vec:ShiftRightLogical:u2  is:shr-u,lanes:i16x8,absorbs
        0xfd:142  i16x8.add                            -                 v128 v128 -> v128       simd          vec:Add:i2  is:add,lanes:i16x8
        0xfd:143  i16x8.add_sat_s                      -                 v128 v128 -> v128       simd          vec:AddSaturate:i2  lanes:i16x8,is:none
        0xfd:144  i16x8.add_sat_u                      -                 v128 v128 -> v128       simd          vec:AddSaturate:u2  lanes:i16x8,absorbs,is:none
        0xfd:145  i16x8.sub                            -                 v128 v128 -> v128       simd          vec:Subtract:i2  is:sub,lanes:i16x8
        0xfd:146  i16x8.sub_sat_s                      -                 v128 v128 -> v128       simd          vec:SubtractSaturate:i2  lanes:i16x8,is:none
        0xfd:147  i16x8.sub_sat_u                      -                 v128 v128 -> v128       simd          vec:SubtractSaturate:u2  lanes:i16x8,absorbs,is:none
        0xfd:148  f64x2.nearest                        -                 v128 -> v128            simd          vec:Round:r8  lanes:f64x2,is:none
        0xfd:149  i16x8.mul                            -                 v128 v128 -> v128       simd          vec:Multiply:i2  is:mul,lanes:i16x8,absorbs
        0xfd:150  i16x8.min_s                          -                 v128 v128 -> v128       simd          vec:Min:i2  lanes:i16x8,is:none
        0xfd:151  i16x8.min_u                          -                 v128 v128 -> v128       simd          vec:Min:u2  lanes:i16x8,absorbs,is:none
        0xfd:152  i16x8.max_s                          -                 v128 v128 -> v128       simd          vec:Max:i2  lanes:i16x8,is:none
        0xfd:153  i16x8.max_u                          -                 v128 v128 -> v128       simd          vec:Max:u2  lanes:i16x8,absorbs,is:none
        0xfd:155  i16x8.avgr_u                         -                 v128 v128 -> v128       simd          call:Simd.I16x8AvgrU  lanes:i16x8,absorbs,is:none
        0xfd:156  i16x8.extmul_low_i8x16_s             -                 v128 v128 -> v128       simd          call:Simd.I16x8ExtmulLowI8x16S  lanes:i16x8,reads-low,is:none
        0xfd:157  i16x8.extmul_high_i8x16_s            -                 v128 v128 -> v128       simd          call:Simd.I16x8ExtmulHighI8x16S  lanes:i16x8,is:none
        0xfd:158  i16x8.extmul_low_i8x16_u             -                 v128 v128 -> v128       simd          call:Simd.I16x8ExtmulLowI8x16U  lanes:i16x8,reads-low,is:none
        0xfd:159  i16x8.extmul_high_i8x16_u            -                 v128 v128 -> v128       simd          call:Simd.I16x8ExtmulHighI8x16U  lanes:i16x8,absorbs,is:none
        0xfd:160  i32x4.abs                            -                 v128 -> v128            simd          vec:Abs:i4  lanes:i32x4,is:none
        0xfd:161  i32x4.neg                            -                 v128 -> v128            simd          vec:Negate:i4  lanes:i32x4,is:none
        0xfd:163  i32x4.all_true                       -                 v128 -> i32             simd          call:Simd.I32x4AllTrue  lanes:i32x4,is:none
        0xfd:164  i32x4.bitmask                        -                 v128 -> i32             simd          vec:ExtractMostSignificantBits:i4  lanes:i32x4,is:none
        0xfd:167  i32x4.extend_low_i16x8_s             -                 v128 -> v128            simd          vec:WidenLower:i2  lanes:i32x4,reads-low,is:none
        0xfd:168  i32x4.extend_high_i16x8_s            -                 v128 -> v128            simd          vec:WidenUpper:i2  lanes:i32x4,is:none
        0xfd:169  i32x4.extend_low_i16x8_u             -                 v128 -> v128            simd          vec:WidenLower:u2  lanes:i32x4,reads-low,is:none
        0xfd:170  i32x4.extend_high_i16x8_u            -                 v128 -> v128            simd          call:Simd.I32x4ExtendHighI16x8U  lanes:i32x4,absorbs,is:none
        0xfd:171  i32x4.shl                            -                 v128 i32 -> v128        simd          vec:ShiftLeft:i4  is:shl,lanes:i32x4
        0xfd:172  i32x4.shr_s                          -                 v128 i32 -> v128        simd          vec:ShiftRightArithmetic:i4  is:shr-s,lanes:i32x4
        0xfd:173  i32x4.shr_u                          -                 v128 i32 -> v128        simd          vec:ShiftRightLogical:u4  is:shr-u,lanes:i32x4,absorbs
        0xfd:174  i32x4.add                            -                 v128 v128 -> v128       simd          vec:Add:i4  is:add,lanes:i32x4
        0xfd:177  i32x4.sub                            -                 v128 v128 -> v128       simd          vec:Subtract:i4  is:sub,lanes:i32x4
        0xfd:181  i32x4.mul                            -                 v128 v128 -> v128       simd          vec:Multiply:i4  is:mul,lanes:i32x4,absorbs
        0xfd:182  i32x4.min_s                          -                 v128 v128 -> v128       simd          vec:Min:i4  lanes:i32x4,is:none
        0xfd:183  i32x4.min_u                          -                 v128 v128 -> v128       simd          vec:Min:u4  lanes:i32x4,absorbs,is:none
        0xfd:184  i32x4.max_s                          -                 v128 v128 -> v128       simd          vec:Max:i4  lanes:i32x4,is:none
        0xfd:185  i32x4.max_u                          -                 v128 v128 -> v128       simd          vec:Max:u4  lanes:i32x4,absorbs,is:none
        0xfd:186  i32x4.dot_i16x8_s                    -                 v128 v128 -> v128       simd          call:Simd.I32x4DotI16x8S  lanes:i32x4,is:none
        0xfd:188  i32x4.extmul_low_i16x8_s             -                 v128 v128 -> v128       simd          call:Simd.I32x4ExtmulLowI16x8S  lanes:i32x4,reads-low,is:none
        0xfd:189  i32x4.extmul_high_i16x8_s            -                 v128 v128 -> v128       simd          call:Simd.I32x4ExtmulHighI16x8S  lanes:i32x4,is:none
        0xfd:190  i32x4.extmul_low_i16x8_u             -                 v128 v128 -> v128       simd          call:Simd.I32x4ExtmulLowI16x8U  lanes:i32x4,reads-low,is:none
        0xfd:191  i32x4.extmul_high_i16x8_u            -                 v128 v128 -> v128       simd          call:Simd.I32x4ExtmulHighI16x8U  lanes:i32x4,absorbs,is:none
        0xfd:192  i64x2.abs                            -                 v128 -> v128            simd          call:Simd.I64x2Abs  lanes:i64x2,is:none
        0xfd:193  i64x2.neg                            -                 v128 -> v128            simd          vec:Negate:i8  lanes:i64x2,is:none
        0xfd:195  i64x2.all_true                       -                 v128 -> i32             simd          call:Simd.I64x2AllTrue  lanes:i64x2,is:none
        0xfd:196  i64x2.bitmask                        -                 v128 -> i32             simd          vec:ExtractMostSignificantBits:i8  lanes:i64x2,is:none
        0xfd:199  i64x2.extend_low_i32x4_s             -                 v128 -> v128            simd          vec:WidenLower:i4  lanes:i64x2,reads-low,is:none
        0xfd:200  i64x2.extend_high_i32x4_s            -                 v128 -> v128            simd          vec:WidenUpper:i4  lanes:i64x2,is:none
        0xfd:201  i64x2.extend_low_i32x4_u             -                 v128 -> v128            simd          vec:WidenLower:u4  lanes:i64x2,reads-low,is:none
        0xfd:202  i64x2.extend_high_i32x4_u            -                 v128 -> v128            simd          call:Simd.I64x2ExtendHighI32x4U  lanes:i64x2,absorbs,is:none
        0xfd:203  i64x2.shl                            -                 v128 i32 -> v128        simd          vec:ShiftLeft:i8  is:shl,lanes:i64x2
        0xfd:204  i64x2.shr_s                          -                 v128 i32 -> v128        simd          call:Simd.I64x2ShrS  is:shr-s,lanes:i64x2
        0xfd:205  i64x2.shr_u                          -                 v128 i32 -> v128        simd          vec:ShiftRightLogical:u8  is:shr-u,lanes:i64x2,absorbs
        0xfd:206  i64x2.add                            -                 v128 v128 -> v128       simd          vec:Add:i8  is:add,lanes:i64x2
        0xfd:209  i64x2.sub                            -                 v128 v128 -> v128       simd          vec:Subtract:i8  is:sub,lanes:i64x2
        0xfd:213  i64x2.mul                            -                 v128 v128 -> v128       simd          vec:Multiply:i8  is:mul,lanes:i64x2,absorbs
        0xfd:214  i64x2.eq                             -                 v128 v128 -> v128       simd          vec:Equals:i8  lanes:i64x2,is:none
        0xfd:215  i64x2.ne                             -                 v128 v128 -> v128       simd          vec:Equals:i8,OnesComplement:i8  lanes:i64x2,is:none
        0xfd:216  i64x2.lt_s                           -                 v128 v128 -> v128       simd          vec:LessThan:i8  lanes:i64x2,is:none
        0xfd:217  i64x2.gt_s                           -                 v128 v128 -> v128       simd          vec:GreaterThan:i8  lanes:i64x2,is:none
        0xfd:218  i64x2.le_s                           -                 v128 v128 -> v128       simd          vec:LessThanOrEqual:i8  lanes:i64x2,is:none
        0xfd:219  i64x2.ge_s                           -                 v128 v128 -> v128       simd          vec:GreaterThanOrEqual:i8  lanes:i64x2,is:none
        0xfd:220  i64x2.extmul_low_i32x4_s             -                 v128 v128 -> v128       simd          call:Simd.I64x2ExtmulLowI32x4S  lanes:i64x2,reads-low,is:none
        0xfd:221  i64x2.extmul_high_i32x4_s            -                 v128 v128 -> v128       simd          call:Simd.I64x2ExtmulHighI32x4S  lanes:i64x2,is:none
        0xfd:222  i64x2.extmul_low_i32x4_u             -                 v128 v128 -> v128       simd          call:Simd.I64x2ExtmulLowI32x4U  lanes:i64x2,reads-low,is:none
        0xfd:223  i64x2.extmul_high_i32x4_u            -                 v128 v128 -> v128       simd          call:Simd.I64x2ExtmulHighI32x4U  lanes:i64x2,absorbs,is:none
        0xfd:224  f32x4.abs                            -                 v128 -> v128            simd          call:Simd.F32x4Abs  lanes:f32x4,is:none
        0xfd:225  f32x4.neg                            -                 v128 -> v128            simd          call:Simd.F32x4Neg  lanes:f32x4,is:none
        0xfd:227  f32x4.sqrt                           -                 v128 -> v128            simd          vec:Sqrt:r4  lanes:f32x4,is:none
        0xfd:228  f32x4.add                            -                 v128 v128 -> v128       simd          vec:Add:r4  is:add,lanes:f32x4
        0xfd:229  f32x4.sub                            -                 v128 v128 -> v128       simd          vec:Subtract:r4  is:sub,lanes:f32x4
        0xfd:230  f32x4.mul                            -                 v128 v128 -> v128       simd          vec:Multiply:r4  is:mul,lanes:f32x4,absorbs
        0xfd:231  f32x4.div                            -                 v128 v128 -> v128       simd          vec:Divide:r4  is:div,lanes:f32x4
        0xfd:232  f32x4.min                            -                 v128 v128 -> v128       simd          call:Simd.F32x4Min  lanes:f32x4,is:none
        0xfd:233  f32x4.max                            -                 v128 v128 -> v128       simd          call:Simd.F32x4Max  lanes:f32x4,is:none
        0xfd:234  f32x4.pmin                           -                 v128 v128 -> v128       simd          call:Simd.F32x4Pmin  lanes:f32x4,is:none
        0xfd:235  f32x4.pmax                           -                 v128 v128 -> v128       simd          call:Simd.F32x4Pmax  lanes:f32x4,is:none
        0xfd:236  f64x2.abs                            -                 v128 -> v128            simd          call:Simd.F64x2Abs  lanes:f64x2,is:none
        0xfd:237  f64x2.neg                            -                 v128 -> v128            simd          call:Simd.F64x2Neg  lanes:f64x2,is:none
        0xfd:239  f64x2.sqrt                           -                 v128 -> v128            simd          vec:Sqrt:r8  lanes:f64x2,is:none
        0xfd:240  f64x2.add                            -                 v128 v128 -> v128       simd          vec:Add:r8  is:add,lanes:f64x2
        0xfd:241  f64x2.sub                            -                 v128 v128 -> v128       simd          vec:Subtract:r8  is:sub,lanes:f64x2
        0xfd:242  f64x2.mul                            -                 v128 v128 -> v128       simd          vec:Multiply:r8  is:mul,lanes:f64x2,absorbs
        0xfd:243  f64x2.div                            -                 v128 v128 -> v128       simd          vec:Divide:r8  is:div,lanes:f64x2
        0xfd:244  f64x2.min                            -                 v128 v128 -> v128       simd          call:Simd.F64x2Min  lanes:f64x2,is:none
        0xfd:245  f64x2.max                            -                 v128 v128 -> v128       simd          call:Simd.F64x2Max  lanes:f64x2,is:none
        0xfd:246  f64x2.pmin                           -                 v128 v128 -> v128       simd          call:Simd.F64x2Pmin  lanes:f64x2,is:none
        0xfd:247  f64x2.pmax                           -                 v128 v128 -> v128       simd          call:Simd.F64x2Pmax  lanes:f64x2,is:none
        0xfd:248  i32x4.trunc_sat_f32x4_s              -                 v128 -> v128            simd          vec:ConvertToInt32:r4  lanes:i32x4,is:none
        0xfd:249  i32x4.trunc_sat_f32x4_u              -                 v128 -> v128            simd          call:Simd.I32x4TruncSatF32x4U  lanes:i32x4,absorbs,is:none
        0xfd:250  f32x4.convert_i32x4_s                -                 v128 -> v128            simd          vec:ConvertToSingle:i4  lanes:f32x4,is:none
        0xfd:251  f32x4.convert_i32x4_u                -                 v128 -> v128            simd          vec:ConvertToSingle:u4  lanes:f32x4,absorbs,is:none
        0xfd:252  i32x4.trunc_sat_f64x2_s_zero         -                 v128 -> v128            simd          call:Simd.I32x4TruncSatF64x2SZero  lanes:i32x4,is:none
        0xfd:253  i32x4.trunc_sat_f64x2_u_zero         -                 v128 -> v128            simd          call:Simd.I32x4TruncSatF64x2UZero  lanes:i32x4,is:none
        0xfd:254  f64x2.convert_low_i32x4_s            -                 v128 -> v128            simd          call:Simd.F64x2ConvertLowI32x4S  lanes:f64x2,reads-low,is:none
        0xfd:255  f64x2.convert_low_i32x4_u            -                 v128 -> v128            simd          call:Simd.F64x2ConvertLowI32x4U  lanes:f64x2,reads-low,is:none
        0xfd:256  i8x16.relaxed_swizzle                -                 v128 v128 -> v128       relaxed-simd  call:Simd.I8x16RelaxedSwizzle  lanes:i8x16,is:none
        0xfd:257  i32x4.relaxed_trunc_f32x4_s          -                 v128 -> v128            relaxed-simd  call:Simd.I32x4RelaxedTruncF32x4S  lanes:i32x4,is:none
        0xfd:258  i32x4.relaxed_trunc_f32x4_u          -                 v128 -> v128            relaxed-simd  call:Simd.I32x4TruncSatF32x4U  lanes:i32x4,absorbs,is:none
        0xfd:259  i32x4.relaxed_trunc_f64x2_s_zero     -                 v128 -> v128            relaxed-simd  call:Simd.I32x4RelaxedTruncF64x2SZero  lanes:i32x4,is:none
        0xfd:260  i32x4.relaxed_trunc_f64x2_u_zero     -                 v128 -> v128            relaxed-simd  call:Simd.I32x4TruncSatF64x2UZero  lanes:i32x4,is:none
        0xfd:261  f32x4.relaxed_madd                   -                 v128 v128 v128 -> v128  relaxed-simd  vec:FusedMultiplyAdd:r4  lanes:f32x4,is:none
        0xfd:262  f32x4.relaxed_nmadd                  -                 v128 v128 v128 -> v128  relaxed-simd  call:Simd.F32x4RelaxedNmadd  lanes:f32x4,is:none
        0xfd:263  f64x2.relaxed_madd                   -                 v128 v128 v128 -> v128  relaxed-simd  vec:FusedMultiplyAdd:r8  lanes:f64x2,is:none
        0xfd:264  f64x2.relaxed_nmadd                  -                 v128 v128 v128 -> v128  relaxed-simd  call:Simd.F64x2RelaxedNmadd  lanes:f64x2,is:none
        0xfd:265  i8x16.relaxed_laneselect             -                 v128 v128 v128 -> v128  relaxed-simd  call:Simd.I8x16RelaxedLaneselect  lanes:i8x16,is:none
        0xfd:266  i16x8.relaxed_laneselect             -                 v128 v128 v128 -> v128  relaxed-simd  call:Simd.I16x8RelaxedLaneselect  lanes:i16x8,is:none
        0xfd:267  i32x4.relaxed_laneselect             -                 v128 v128 v128 -> v128  relaxed-simd  call:Simd.I32x4RelaxedLaneselect  lanes:i32x4,is:none
        0xfd:268  i64x2.relaxed_laneselect             -                 v128 v128 v128 -> v128  relaxed-simd  call:Simd.I64x2RelaxedLaneselect  lanes:i64x2,is:none
        0xfd:269  f32x4.relaxed_min                    -                 v128 v128 -> v128       relaxed-simd  call:Simd.F32x4RelaxedMin  lanes:f32x4,is:none
        0xfd:270  f32x4.relaxed_max                    -                 v128 v128 -> v128       relaxed-simd  call:Simd.F32x4RelaxedMax  lanes:f32x4,is:none
        0xfd:271  f64x2.relaxed_min                    -                 v128 v128 -> v128       relaxed-simd  call:Simd.F64x2RelaxedMin  lanes:f64x2,is:none
        0xfd:272  f64x2.relaxed_max                    -                 v128 v128 -> v128       relaxed-simd  call:Simd.F64x2RelaxedMax  lanes:f64x2,is:none
        0xfd:273  i16x8.relaxed_q15mulr_s              -                 v128 v128 -> v128       relaxed-simd  call:Simd.I16x8RelaxedQ15mulrS  lanes:i16x8,is:none
        0xfd:274  i16x8.relaxed_dot_i8x16_i7x16_s      -                 v128 v128 -> v128       relaxed-simd  call:Simd.I16x8RelaxedDotI8x16I7x16S  lanes:i16x8,is:none
        0xfd:275  i32x4.relaxed_dot_i8x16_i7x16_add_s  -                 v128 v128 v128 -> v128  relaxed-simd  call:Simd.I32x4RelaxedDotI8x16I7x16AddS  lanes:i32x4,is:none
        """;
}
