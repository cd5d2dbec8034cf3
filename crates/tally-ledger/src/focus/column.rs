//! The columns of each version, in their order.

use super::Version;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text; JSON objects are text, too.
    Text,
    /// An exact decimal.
    Decimal,
    /// An instant.
    Time,
}

/// Which versions have a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum In {
    Both,
    Old,
    New,
}

macro_rules! columns {
    ($($name:ident: $kind:ident $is_in:ident;)*) => {
        /// A column of either version.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Column {
            $($name,)*
        }

        impl Column {
            pub(super) const ALL: &[Self] = &[$(Self::$name),*];

            pub(super) const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            pub(super) const fn kind(self) -> Kind {
                match self { $(Self::$name => Kind::$kind,)* }
            }

            const fn versions(self) -> In {
                match self { $(Self::$name => In::$is_in,)* }
            }
        }
    };
}

columns! {
    AllocatedMethodDetails: Text New;
    AllocatedMethodId: Text New;
    AllocatedResourceId: Text New;
    AllocatedResourceName: Text New;
    AllocatedTags: Text New;
    AvailabilityZone: Text Both;
    BilledCost: Decimal Both;
    BillingAccountId: Text Both;
    BillingAccountName: Text Both;
    BillingAccountType: Text Both;
    BillingCurrency: Text Both;
    BillingPeriodEnd: Time Both;
    BillingPeriodStart: Time Both;
    CapacityReservationId: Text Both;
    CapacityReservationStatus: Text Both;
    ChargeCategory: Text Both;
    ChargeClass: Text Both;
    ChargeDescription: Text Both;
    ChargeFrequency: Text Both;
    ChargePeriodEnd: Time Both;
    ChargePeriodStart: Time Both;
    CommitmentDiscountCategory: Text Both;
    CommitmentDiscountId: Text Both;
    CommitmentDiscountName: Text Both;
    CommitmentDiscountQuantity: Decimal Both;
    CommitmentDiscountStatus: Text Both;
    CommitmentDiscountType: Text Both;
    CommitmentDiscountUnit: Text Both;
    CommitmentProgramEligibilityDetails: Text New;
    ConsumedQuantity: Decimal Both;
    ConsumedUnit: Text Both;
    ContractApplied: Text New;
    ContractedCost: Decimal Both;
    ContractedUnitPrice: Decimal Both;
    EffectiveCost: Decimal Both;
    HostProviderName: Text New;
    InvoiceDetailId: Text New;
    InvoiceId: Text Both;
    InvoiceIssuerName: Text Both;
    ListCost: Decimal Both;
    ListUnitPrice: Decimal Both;
    PricingCategory: Text Both;
    PricingCurrency: Text Both;
    PricingCurrencyContractedUnitPrice: Decimal Both;
    PricingCurrencyEffectiveCost: Decimal Both;
    PricingCurrencyListUnitPrice: Decimal Both;
    PricingQuantity: Decimal Both;
    PricingUnit: Text Both;
    ProviderName: Text Old;
    PublisherName: Text Old;
    RegionId: Text Both;
    RegionName: Text Both;
    ResourceId: Text Both;
    ResourceName: Text Both;
    ResourceType: Text Both;
    ServiceCategory: Text Both;
    ServiceName: Text Both;
    ServiceProviderName: Text New;
    ServiceSubcategory: Text Both;
    SkuId: Text Both;
    SkuMeter: Text Both;
    SkuPriceDetails: Text Both;
    SkuPriceId: Text Both;
    SubAccountId: Text Both;
    SubAccountName: Text Both;
    SubAccountType: Text Both;
    Tags: Text Both;
}

/// The columns of a version, in their order.
pub(super) fn of(version: Version) -> impl Iterator<Item = Column> {
    Column::ALL.iter().copied().filter(move |column| match column.versions() {
        In::Both => true,
        In::Old => version == Version::V1_2,
        In::New => version == Version::V1_4,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_has_its_columns_in_the_order_of_their_names() {
        for (version, count) in [(Version::V1_2, 57), (Version::V1_4, 65)] {
            let names: Vec<_> = version.columns().collect();
            assert_eq!(names.len(), count, "{version:?}");
            assert!(names.is_sorted(), "{version:?}");
        }
    }
}
