using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace WasmJit.Runtime;

/// <summary>
/// The interpreted operators on vectors, each by the method that compiled code calls. A vector lies in two slots, one behind the other: the result from A on, the
/// operands from B and C on, a third from Value on. Of loads and stores B is the address in the process. Lanes are in Value.
/// </summary>
/// <remarks>Unsafe: slots are those that the translator gave out, and addresses those of an instruction before, which has compared them.</remarks>
internal static unsafe partial class VectorOperations
{
    private static Vector128<byte> At(ulong* slot) => Unsafe.ReadUnaligned<Vector128<byte>>(slot);

    private static Vector128<byte> Third(ulong* fp, Instruction* ip) => At(fp + ip->Value);

    private static byte* Place(ulong* fp, Instruction* ip) => (byte*)fp[ip->B];

    /// <summary>The word behind has the lanes.</summary>
    internal static void Shuffle(ulong* fp, Instruction* ip) =>
        Unsafe.WriteUnaligned(fp + ip->A, Simd.I8x16Shuffle(At(fp + ip->B), At(fp + ip->C), ip[1].Head, (ulong)ip[1].Imm));

    /// <summary>Executes an operator: loads, stores, lanes, comparisons and bits here.</summary>
    internal static void Execute(ulong* fp, Instruction* ip)
    {
        Vector128<byte> a = At(fp + ip->B), b = At(fp + ip->C);
        switch ((VectorOp)ip->Target)
        {
            case VectorOp.V128Load: a = Unsafe.ReadUnaligned<Vector128<byte>>(Place(fp, ip)); break;
            case VectorOp.V128Load8x8S: a = Simd.V128Load8x8S(Place(fp, ip)); break;
            case VectorOp.V128Load8x8U: a = Simd.V128Load8x8U(Place(fp, ip)); break;
            case VectorOp.V128Load16x4S: a = Simd.V128Load16x4S(Place(fp, ip)); break;
            case VectorOp.V128Load16x4U: a = Simd.V128Load16x4U(Place(fp, ip)); break;
            case VectorOp.V128Load32x2S: a = Simd.V128Load32x2S(Place(fp, ip)); break;
            case VectorOp.V128Load32x2U: a = Simd.V128Load32x2U(Place(fp, ip)); break;
            case VectorOp.V128Load8Splat: a = Simd.V128Load8Splat(Place(fp, ip)); break;
            case VectorOp.V128Load16Splat: a = Simd.V128Load16Splat(Place(fp, ip)); break;
            case VectorOp.V128Load32Splat: a = Simd.V128Load32Splat(Place(fp, ip)); break;
            case VectorOp.V128Load64Splat: a = Simd.V128Load64Splat(Place(fp, ip)); break;
            case VectorOp.V128Store: Unsafe.WriteUnaligned(Place(fp, ip), b); return;
            case VectorOp.I8x16Swizzle: a = Simd.I8x16Swizzle(a, b); break;
            case VectorOp.I8x16Splat: a = Vector128.Create((sbyte)*(int*)(fp + ip->B)).AsByte(); break;
            case VectorOp.I16x8Splat: a = Vector128.Create((short)*(int*)(fp + ip->B)).AsByte(); break;
            case VectorOp.I32x4Splat: a = Vector128.Create(*(int*)(fp + ip->B)).AsByte(); break;
            case VectorOp.I64x2Splat: a = Vector128.Create(*(long*)(fp + ip->B)).AsByte(); break;
            case VectorOp.F32x4Splat: a = Vector128.Create(*(float*)(fp + ip->B)).AsByte(); break;
            case VectorOp.F64x2Splat: a = Vector128.Create(*(double*)(fp + ip->B)).AsByte(); break;
            case VectorOp.I8x16ExtractLaneS: fp[ip->A] = (uint)Vector128.GetElement(a.AsSByte(), ip->Value); return;
            case VectorOp.I8x16ExtractLaneU: fp[ip->A] = Vector128.GetElement(a, ip->Value); return;
            case VectorOp.I8x16ReplaceLane: a = Vector128.WithElement(a.AsSByte(), ip->Value, (sbyte)*(int*)(fp + ip->C)).AsByte(); break;
            case VectorOp.I16x8ExtractLaneS: fp[ip->A] = (uint)Vector128.GetElement(a.AsInt16(), ip->Value); return;
            case VectorOp.I16x8ExtractLaneU: fp[ip->A] = Vector128.GetElement(a.AsUInt16(), ip->Value); return;
            case VectorOp.I16x8ReplaceLane: a = Vector128.WithElement(a.AsInt16(), ip->Value, (short)*(int*)(fp + ip->C)).AsByte(); break;
            case VectorOp.I32x4ExtractLane: fp[ip->A] = (uint)Vector128.GetElement(a.AsInt32(), ip->Value); return;
            case VectorOp.I32x4ReplaceLane: a = Vector128.WithElement(a.AsInt32(), ip->Value, *(int*)(fp + ip->C)).AsByte(); break;
            case VectorOp.I64x2ExtractLane: fp[ip->A] = (ulong)Vector128.GetElement(a.AsInt64(), ip->Value); return;
            case VectorOp.I64x2ReplaceLane: a = Vector128.WithElement(a.AsInt64(), ip->Value, *(long*)(fp + ip->C)).AsByte(); break;
            case VectorOp.F32x4ExtractLane: fp[ip->A] = BitConverter.SingleToUInt32Bits(Vector128.GetElement(a.AsSingle(), ip->Value)); return;
            case VectorOp.F32x4ReplaceLane: a = Vector128.WithElement(a.AsSingle(), ip->Value, *(float*)(fp + ip->C)).AsByte(); break;
            case VectorOp.F64x2ExtractLane: fp[ip->A] = BitConverter.DoubleToUInt64Bits(Vector128.GetElement(a.AsDouble(), ip->Value)); return;
            case VectorOp.F64x2ReplaceLane: a = Vector128.WithElement(a.AsDouble(), ip->Value, *(double*)(fp + ip->C)).AsByte(); break;
            case VectorOp.I8x16Eq: a = Vector128.Equals(a.AsSByte(), b.AsSByte()).AsByte(); break;
            case VectorOp.I8x16Ne: a = Vector128.OnesComplement(Vector128.Equals(a.AsSByte(), b.AsSByte())).AsByte(); break;
            case VectorOp.I8x16LtS: a = Vector128.LessThan(a.AsSByte(), b.AsSByte()).AsByte(); break;
            case VectorOp.I8x16LtU: a = Vector128.LessThan(a, b); break;
            case VectorOp.I8x16GtS: a = Vector128.GreaterThan(a.AsSByte(), b.AsSByte()).AsByte(); break;
            case VectorOp.I8x16GtU: a = Vector128.GreaterThan(a, b); break;
            case VectorOp.I8x16LeS: a = Vector128.LessThanOrEqual(a.AsSByte(), b.AsSByte()).AsByte(); break;
            case VectorOp.I8x16LeU: a = Vector128.LessThanOrEqual(a, b); break;
            case VectorOp.I8x16GeS: a = Vector128.GreaterThanOrEqual(a.AsSByte(), b.AsSByte()).AsByte(); break;
            case VectorOp.I8x16GeU: a = Vector128.GreaterThanOrEqual(a, b); break;
            case VectorOp.I16x8Eq: a = Vector128.Equals(a.AsInt16(), b.AsInt16()).AsByte(); break;
            case VectorOp.I16x8Ne: a = Vector128.OnesComplement(Vector128.Equals(a.AsInt16(), b.AsInt16())).AsByte(); break;
            case VectorOp.I16x8LtS: a = Vector128.LessThan(a.AsInt16(), b.AsInt16()).AsByte(); break;
            case VectorOp.I16x8LtU: a = Vector128.LessThan(a.AsUInt16(), b.AsUInt16()).AsByte(); break;
            case VectorOp.I16x8GtS: a = Vector128.GreaterThan(a.AsInt16(), b.AsInt16()).AsByte(); break;
            case VectorOp.I16x8GtU: a = Vector128.GreaterThan(a.AsUInt16(), b.AsUInt16()).AsByte(); break;
            case VectorOp.I16x8LeS: a = Vector128.LessThanOrEqual(a.AsInt16(), b.AsInt16()).AsByte(); break;
            case VectorOp.I16x8LeU: a = Vector128.LessThanOrEqual(a.AsUInt16(), b.AsUInt16()).AsByte(); break;
            case VectorOp.I16x8GeS: a = Vector128.GreaterThanOrEqual(a.AsInt16(), b.AsInt16()).AsByte(); break;
            case VectorOp.I16x8GeU: a = Vector128.GreaterThanOrEqual(a.AsUInt16(), b.AsUInt16()).AsByte(); break;
            case VectorOp.I32x4Eq: a = Vector128.Equals(a.AsInt32(), b.AsInt32()).AsByte(); break;
            case VectorOp.I32x4Ne: a = Vector128.OnesComplement(Vector128.Equals(a.AsInt32(), b.AsInt32())).AsByte(); break;
            case VectorOp.I32x4LtS: a = Vector128.LessThan(a.AsInt32(), b.AsInt32()).AsByte(); break;
            case VectorOp.I32x4LtU: a = Vector128.LessThan(a.AsUInt32(), b.AsUInt32()).AsByte(); break;
            case VectorOp.I32x4GtS: a = Vector128.GreaterThan(a.AsInt32(), b.AsInt32()).AsByte(); break;
            case VectorOp.I32x4GtU: a = Vector128.GreaterThan(a.AsUInt32(), b.AsUInt32()).AsByte(); break;
            case VectorOp.I32x4LeS: a = Vector128.LessThanOrEqual(a.AsInt32(), b.AsInt32()).AsByte(); break;
            case VectorOp.I32x4LeU: a = Vector128.LessThanOrEqual(a.AsUInt32(), b.AsUInt32()).AsByte(); break;
            case VectorOp.I32x4GeS: a = Vector128.GreaterThanOrEqual(a.AsInt32(), b.AsInt32()).AsByte(); break;
            case VectorOp.I32x4GeU: a = Vector128.GreaterThanOrEqual(a.AsUInt32(), b.AsUInt32()).AsByte(); break;
            case VectorOp.F32x4Eq: a = Vector128.Equals(a.AsSingle(), b.AsSingle()).AsByte(); break;
            case VectorOp.F32x4Ne: a = Vector128.OnesComplement(Vector128.Equals(a.AsSingle(), b.AsSingle())).AsByte(); break;
            case VectorOp.F32x4Lt: a = Vector128.LessThan(a.AsSingle(), b.AsSingle()).AsByte(); break;
            case VectorOp.F32x4Gt: a = Vector128.GreaterThan(a.AsSingle(), b.AsSingle()).AsByte(); break;
            case VectorOp.F32x4Le: a = Vector128.LessThanOrEqual(a.AsSingle(), b.AsSingle()).AsByte(); break;
            case VectorOp.F32x4Ge: a = Vector128.GreaterThanOrEqual(a.AsSingle(), b.AsSingle()).AsByte(); break;
            case VectorOp.F64x2Eq: a = Vector128.Equals(a.AsDouble(), b.AsDouble()).AsByte(); break;
            case VectorOp.F64x2Ne: a = Vector128.OnesComplement(Vector128.Equals(a.AsDouble(), b.AsDouble())).AsByte(); break;
            case VectorOp.F64x2Lt: a = Vector128.LessThan(a.AsDouble(), b.AsDouble()).AsByte(); break;
            case VectorOp.F64x2Gt: a = Vector128.GreaterThan(a.AsDouble(), b.AsDouble()).AsByte(); break;
            case VectorOp.F64x2Le: a = Vector128.LessThanOrEqual(a.AsDouble(), b.AsDouble()).AsByte(); break;
            case VectorOp.F64x2Ge: a = Vector128.GreaterThanOrEqual(a.AsDouble(), b.AsDouble()).AsByte(); break;
            case VectorOp.V128Not: a = Vector128.OnesComplement(a); break;
            case VectorOp.V128And: a = Vector128.BitwiseAnd(a, b); break;
            case VectorOp.V128Andnot: a = Vector128.AndNot(a, b); break;
            case VectorOp.V128Or: a = Vector128.BitwiseOr(a, b); break;
            case VectorOp.V128Xor: a = Vector128.Xor(a, b); break;
            case VectorOp.V128Bitselect: a = Simd.V128Bitselect(a, b, Third(fp, ip)); break;
            case VectorOp.V128AnyTrue: fp[ip->A] = (uint)Simd.V128AnyTrue(a); return;
            case VectorOp.V128Load8Lane: a = Simd.V128Load8Lane(Place(fp, ip), b, ip->Value); break;
            case VectorOp.V128Load16Lane: a = Simd.V128Load16Lane(Place(fp, ip), b, ip->Value); break;
            case VectorOp.V128Load32Lane: a = Simd.V128Load32Lane(Place(fp, ip), b, ip->Value); break;
            case VectorOp.V128Load64Lane: a = Simd.V128Load64Lane(Place(fp, ip), b, ip->Value); break;
            case VectorOp.V128Store8Lane: Unsafe.WriteUnaligned(Place(fp, ip), b.GetElement(ip->Value)); return;
            case VectorOp.V128Store16Lane: Unsafe.WriteUnaligned(Place(fp, ip), b.AsUInt16().GetElement(ip->Value)); return;
            case VectorOp.V128Store32Lane: Unsafe.WriteUnaligned(Place(fp, ip), b.AsUInt32().GetElement(ip->Value)); return;
            case VectorOp.V128Store64Lane: Unsafe.WriteUnaligned(Place(fp, ip), b.AsUInt64().GetElement(ip->Value)); return;
            case VectorOp.V128Load32Zero: a = Simd.V128Load32Zero(Place(fp, ip)); break;
            case VectorOp.V128Load64Zero: a = Simd.V128Load64Zero(Place(fp, ip)); break;
            default:
                Calculate(fp, ip, a, b);
                return;
        }
        Unsafe.WriteUnaligned(fp + ip->A, a);
    }
}
