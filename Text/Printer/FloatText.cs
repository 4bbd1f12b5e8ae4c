using System.Globalization;

namespace WasmJit.Text;

/// <summary>Floats as literals that read back to the same bits: the shortest decimal; NaNs with their payload.</summary>
internal static class FloatText
{
    internal static string Of32(uint bits)
    {
        float value = BitConverter.UInt32BitsToSingle(bits);
        string sign = bits >> 31 != 0 ? "-" : "";
        if (float.IsNaN(value)) return (bits & 0x7fffff) == 0x400000 ? sign + "nan" : $"{sign}nan:0x{bits & 0x7fffff:x}";
        if (float.IsInfinity(value)) return sign + "inf";
        return Clean(value.ToString("R", CultureInfo.InvariantCulture));
    }

    internal static string Of64(ulong bits)
    {
        double value = BitConverter.UInt64BitsToDouble(bits);
        string sign = bits >> 63 != 0 ? "-" : "";
        ulong payload = bits & ((1UL << 52) - 1);
        if (double.IsNaN(value)) return payload == 1UL << 51 ? sign + "nan" : $"{sign}nan:0x{payload:x}";
        if (double.IsInfinity(value)) return sign + "inf";
        return Clean(value.ToString("R", CultureInfo.InvariantCulture));
    }

    private static string Clean(string text) => text.Replace("E", "e");
}
